namespace Bitrix24Placements.Storage;

internal static class ShortHash
{
    /// <summary>16 hexadecimal digits, lower case.</summary>
    public static string Of(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 8));
}
