using System.Buffers.Text;
using Bitrix24Placements.Storage;
using Microsoft.AspNetCore.DataProtection;

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

    private readonly IDataProtector _protector = keys.Provider.CreateProtector("Bitrix24Placements.Doctor.v1");

    public static string NewNonce() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    public string Seal(Echo echo) =>
        Base64Url.EncodeToString(_protector.Protect(JsonSerializer.SerializeToUtf8Bytes(echo, DoctorJson.Default.Echo)));

    /// <summary>Null for what is no echo of this nonce.</summary>
    public Echo? Open(string? seal, string nonce)
    {
        try
        {
            return seal is not null &&
                JsonSerializer.Deserialize(_protector.Unprotect(Base64Url.DecodeFromChars(seal)), DoctorJson.Default.Echo) is { } echo
                && echo.Nonce == nonce ? echo : null;
        }
        catch (Exception e) when (e is CryptographicException or FormatException or JsonException)
        {
            return null;
        }
    }
}
