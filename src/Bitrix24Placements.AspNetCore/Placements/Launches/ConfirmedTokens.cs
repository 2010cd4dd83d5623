using Bitrix24Placements.Portals;
using Bitrix24Placements.Rest;
using Microsoft.Extensions.Caching.Memory;

namespace Bitrix24Placements.Placements;

/// <summary>By their hash, until they expire or their installation ends.</summary>
internal sealed class ConfirmedTokens(PortalDirectory directory, TimeProvider time) : IDisposable
{
    private const int Max = 50_000;

    private readonly MemoryCache _cache = new(new MemoryCacheOptions { SizeLimit = Max, CompactionPercentage = 0.1 });

    private sealed record Entry(TokenInfo Info, long Epoch);

    public (TokenInfo User, KnownPortal Portal)? Find(Secret token, string memberId) =>
        _cache.TryGetValue(Key(token), out Entry? entry) && entry is { Info: var info } && info.Id.MemberId == memberId
            && info.ExpiresAt > time.GetUtcNow()
        && directory.Find(info.Id) is { State: PortalState.Installed } portal && portal.Epoch == entry.Epoch
            // The portal may have moved since.
            ? (info with { ClientEndpoint = portal.ClientEndpoint }, portal)
            : null;

    public void Remember(Secret token, TokenInfo info, KnownPortal portal)
    {
        var life = info.ExpiresAt - time.GetUtcNow();
        if (life > TimeSpan.Zero)
            _cache.Set(Key(token), new Entry(info, portal.Epoch),
                new MemoryCacheEntryOptions { Size = 1, AbsoluteExpirationRelativeToNow = life });
    }

    public static string Key(Secret token) => Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(token.Reveal())));

    public void Dispose() => _cache.Dispose();
}
