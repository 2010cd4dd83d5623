using Bitrix24Placements.Portals;
using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Rest;

/// <summary>Brings refreshed tokens, the only valid ones, into the database however long it takes. Until then they are used from memory,
/// and lie in the spool for the next process.</summary>
internal sealed partial class RefreshedTokenKeeper(PortalStore store, Spool spool, TimeProvider time, ILogger<RefreshedTokenKeeper> logger)
    : ISpoolHandler, IAsyncDisposable
{
    private const int PayloadBytes = 4096;

    private static readonly TimeSpan CallersWait = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<PortalId, Portal> _kept = new();
    private readonly RunningTasks _storing = new();
    private readonly CancellationTokenSource _stopping = new();
    private bool _isTroubled;

    public string Kind => "tokens";

    public Portal? Find(PortalId id) => _kept.GetValueOrDefault(id);

    /// <summary>Null: there is no room, and no refresh may begin.</summary>
    public Task<SpoolPlace?> TakePlaceAsync(PortalId id, CancellationToken cancellationToken) =>
        spool.TakePlaceAsync(Kind, id.ToString(), PayloadBytes, cancellationToken);

    /// <summary>Takes the place over.</summary>
    public async Task<Portal> KeepAsync(Portal before, PortalTokens tokens, SpoolPlace place)
    {
        var renewed = before with { Tokens = tokens, TokensVersion = before.TokensVersion + 1, TokenState = TokenState.Good };
        _kept[before.Id] = renewed;
        await KeepAsync(SpooledTokens.Of(before, tokens), place, () => _kept.TryRemove(new(before.Id, renewed)));
        return renewed;
    }

    public Task KeepReserveAsync(Portal before, PortalReserve reserve, PortalTokens tokens, SpoolPlace place) =>
        KeepAsync(SpooledTokens.Of(before, reserve, tokens), place, () => { });

    /// <summary>Nobody's newer tokens give way to them.</summary>
    public async Task<bool> CarryOverAsync(string key, string payload, DateTimeOffset keptAt, CancellationToken cancellationToken)
    {
        if (JsonSerializer.Deserialize(payload, SpoolJson.Default.SpooledTokens) is { } spooled)
            await SaveAsync(spooled, cancellationToken);
        return true;
    }

    private async Task KeepAsync(SpooledTokens kept, SpoolPlace place, Action stored)
    {
        try
        {
            await place.WriteAsync(JsonSerializer.Serialize(kept, SpoolJson.Default.SpooledTokens));
        }
        catch (Exception e)
        {
            // The database may still take them.
            Log.NotSpooled(logger, kept.Id, e.Message);
        }

        var storing = Task.Run(() => StoreAsync(kept, place, stored));
        _storing.Add(storing);
        await Task.WhenAny(storing, Task.Delay(CallersWait, time));
    }

    private async Task StoreAsync(SpooledTokens kept, SpoolPlace place, Action stored)
    {
        await using var held = place;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await SaveAsync(kept, _stopping.Token);
                stored();
                if (Interlocked.Exchange(ref _isTroubled, false))
                    Log.Stored(logger);
                return;
            }
            catch (Exception) when (_stopping.IsCancellationRequested)
            {
                Log.LeftInSpool(logger, kept.Id);
                place.Leave();
                return;
            }
            catch (Exception e)
            {
                // Whatever it is: without these tokens the portal is lost.
                if (!Interlocked.Exchange(ref _isTroubled, true))
                    Log.NotStored(logger, kept.Id, e.Message);
            }

            await Task.WhenAny(Task.Delay(TimeSpan.FromMilliseconds(Math.Min(2000, 50 * attempt)), time, _stopping.Token));
        }
    }

    private async Task SaveAsync(SpooledTokens kept, CancellationToken cancellationToken)
    {
        var tokens = new PortalTokens(new(kept.Access), new(kept.Refresh), kept.ExpiresAt);
        if (!await (kept.IsReserve
            ? store.StoreRefreshedReserveAsync(kept.Id, kept.Version, tokens, cancellationToken)
            : store.StoreRefreshedAsync(kept.Id, kept.Version, tokens, cancellationToken)))
            await store.SaveLateAsync(kept.Id, kept.Epoch, new(tokens, kept.UserId, kept.IsAdministrator), cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        // Twice, as it is registered twice.
        if (_stopping.IsCancellationRequested)
            return;
        await Task.WhenAny(_storing.All, Task.Delay(CallersWait));
        await _stopping.CancelAsync();
        await _storing.All;
        _stopping.Dispose();
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error,
            "Refreshed tokens (first those of portal {MemberId}) cannot be stored yet, and are kept in memory and in the spool: {Reason}")]
        public static partial void NotStored(ILogger logger, PortalId memberId, string reason);

        [LoggerMessage(2, LogLevel.Information, "Refreshed tokens are stored again")]
        public static partial void Stored(ILogger logger);

        [LoggerMessage(3, LogLevel.Error, "Refreshed tokens of portal {MemberId} cannot be written to the spool: {Reason}")]
        public static partial void NotSpooled(ILogger logger, PortalId memberId, string reason);

        [LoggerMessage(4, LogLevel.Warning, "Refreshed tokens of portal {MemberId} are left in the spool for the next start")]
        public static partial void LeftInSpool(ILogger logger, PortalId memberId);
    }
}

/// <param name="Version">Of the tokens that these were refreshed from.</param>
/// <param name="Epoch">Zero in what an earlier version has spooled.</param>
internal sealed record SpooledTokens(
    string MemberId, string App, long Version, string Access, string Refresh, DateTimeOffset ExpiresAt, bool IsReserve = false,
    long UserId = 0, bool IsAdministrator = false, long Epoch = 0)
{
    internal PortalId Id => new(MemberId, App);

    public static SpooledTokens Of(Portal before, PortalTokens tokens) =>
        new(before.Id.MemberId, before.Id.App, before.TokensVersion, tokens.Access.Reveal(), tokens.Refresh.Reveal(), tokens.ExpiresAt,
            IsReserve: false, before.UserId, before.IsAdministrator, before.Epoch);

    public static SpooledTokens Of(Portal before, PortalReserve reserve, PortalTokens tokens) => Of(before, tokens) with
    {
        Version = reserve.Version,
        IsReserve = true,
        UserId = reserve.UserId,
        IsAdministrator = reserve.IsAdministrator,
    };

    public override string ToString() => $"{MemberId}/{App} {Version}";
}

[JsonSerializable(typeof(SpooledTokens))]
internal sealed partial class SpoolJson : JsonSerializerContext;
