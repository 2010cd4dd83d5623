using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Doctor;

/// <summary>What arrived of the doctor's request through whatever stands before the service.</summary>
/// <param name="Nonce">An old answer is not taken for a new one.</param>
/// <param name="Heard">How the test event that the request asks about was answered; null: it has not come.</param>
internal sealed record Echo(string Nonce, string Scheme, string Host, long Bytes, int? Heard);

/// <summary>Whoever can open an echo knows that an instance of this service has answered. Nobody else learns anything.</summary>
internal sealed class EchoSeal(TokenKeys keys)
{
    /// <summary>Of the request: the nonce. Of the answer: the sealed <see cref="Echo"/>.</summary>
    public const string Header = "Bitrix24-Doctor";

    public const int MaxNonceLength = 64;

    private readonly Seal<Echo> _seal = new(keys.Provider, "Bitrix24Placements.Doctor.v1", DoctorJson.Default.Echo);

    public static string NewNonce() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    public string Seal(Echo echo) => _seal.Close(echo);

    /// <summary>Null for what is no echo of this nonce.</summary>
    public Echo? Open(string? seal, string nonce) =>
        seal is not null && _seal.Open(seal) is { } echo && echo.Nonce == nonce ? echo : null;
}
