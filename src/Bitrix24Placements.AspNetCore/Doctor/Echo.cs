using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Doctor;

/// <summary>What of the doctor's request arrived through proxies.</summary>
/// <param name="Nonce">An old answer is not taken for a new one.</param>
/// <param name="Heard">How the test event was answered; null: it has not come.</param>
internal sealed record Echo(string Nonce, string Scheme, string Host, long Bytes, int? Heard);

/// <summary>Only this service can make and open one, so it has answered; nobody else learns anything.</summary>
internal sealed class EchoSeal(TokenKeys keys)
{
    /// <summary>The request's nonce, and the answer's sealed <see cref="Echo"/>.</summary>
    public const string Header = "Bitrix24-Doctor";

    public const int MaxNonceLength = 64;

    private readonly Seal<Echo> _seal = new(keys.Provider, "Bitrix24Placements.Doctor.v1", DoctorJson.Default.Echo);

    public static string NewNonce() => RandomNumberGenerator.GetHexString(32, lowercase: true);

    public string Seal(Echo echo) => _seal.Close(echo);

    public Echo? Open(string? seal, string nonce) => _seal.Open(seal ?? "") is { } echo && echo.Nonce == nonce ? echo : null;
}
