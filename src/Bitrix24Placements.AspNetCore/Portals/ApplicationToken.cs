namespace Bitrix24Placements.Portals;

/// <summary>Kept as SHA-256 alone: 32 random characters need no salt or stretching.</summary>
internal static class ApplicationToken
{
    public static string Hash(string token) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
}
