using System.Security.Cryptography;
using System.Text;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Rest;
using Microsoft.Extensions.Caching.Memory;

namespace Bitrix24Placements.Placements;

/// <summary>Access tokens that an OAuth server has confirmed, by their hash, until they expire. Bounded; an entry is bound to one installation and void when that ends.</summary>
internal sealed class ConfirmedTokens(TimeProvider time) : IDisposable
{
    private const int Most = 50_000;

    private readonly MemoryCache _cache = new(new MemoryCacheOptions { SizeLimit = Most, CompactionPercentage = 0.1 });

    private sealed record Entry(TokenInfo Info, long Epoch);

    /// <summary>What is known of a token, for this portal and this installation of it alone.</summary>
    public TokenInfo? Find(Secret token, KnownPortal portal) =>
        _cache.TryGetValue(Key(token), out Entry? entry) && entry!.Info.Id == portal.Id && entry.Epoch == portal.Epoch && entry.Info.ExpiresAt > time.GetUtcNow()
            ? entry.Info
            : null;

    public void Remember(Secret token, TokenInfo info, KnownPortal portal)
    {
        var life = info.ExpiresAt - time.GetUtcNow();
        if (life > TimeSpan.Zero)
            _cache.Set(Key(token), new Entry(info, portal.Epoch), new MemoryCacheEntryOptions { Size = 1, AbsoluteExpirationRelativeToNow = life });
    }

    private static string Key(Secret token) => Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(token.Reveal())));

    public void Dispose() => _cache.Dispose();
}
