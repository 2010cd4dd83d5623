namespace Bitrix24Placements.Portals;

/// <summary>Kept and compared as SHA-256 alone: 32 random characters need no salt or stretching.</summary>
internal static class ApplicationToken
{
    public static string Hash(string token) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(token)));

    /// <summary>In constant time.</summary>
    public static bool Matches(ReadOnlySpan<byte> expectedHash, ReadOnlySpan<byte> token)
    {
        Span<byte> actual = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(token, actual);
        return CryptographicOperations.FixedTimeEquals(expectedHash, actual);
    }
}
