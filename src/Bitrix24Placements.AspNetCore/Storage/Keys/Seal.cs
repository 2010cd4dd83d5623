using System.Buffers.Text;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.DataProtection;

namespace Bitrix24Placements.Storage;

/// <summary>Text that this service alone can write and read.</summary>
/// <param name="purpose">What was sealed for another one does not open.</param>
internal sealed class Seal<T>(IDataProtectionProvider keys, string purpose, JsonTypeInfo<T> type)
    where T : class
{
    private readonly IDataProtector _protector = keys.CreateProtector(purpose);

    public string Close(T value) => Base64Url.EncodeToString(_protector.Protect(JsonSerializer.SerializeToUtf8Bytes(value, type)));

    public T? Open(string text)
    {
        try
        {
            return JsonSerializer.Deserialize(_protector.Unprotect(Base64Url.DecodeFromChars(text)), type);
        }
        catch (Exception e) when (e is CryptographicException or FormatException or JsonException)
        {
            return null;
        }
    }
}
