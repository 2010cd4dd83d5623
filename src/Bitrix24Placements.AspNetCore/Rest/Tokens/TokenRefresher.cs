using System.Threading.RateLimiting;
using Bitrix24Placements.Apps;
using Bitrix24Placements.Portals;

namespace Bitrix24Placements.Rest;

/// <summary>One refresh per expired token: within the process its task is shared, over all instances there is a lease.</summary>
/// <remarks>https://apidocs.bitrix24.com/settings/oauth/auto-renewal.html: refresh tokens rotate, and refreshing without need gets an app
/// blocked.</remarks>
internal sealed partial class TokenRefresher(
    PortalStore store, OAuthClient oauth, RefreshedTokenKeeper keeper, RestMetrics metrics,
    AppRegistry apps, KeyTroubles troubles, TimeProvider time, ILogger<TokenRefresher> logger)
    : IAsyncDisposable
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LeaseRenewal = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan LeasePolling = TimeSpan.FromMilliseconds(100);

    /// <summary>The refresh itself goes on: its answer is the only valid token.</summary>
    private static readonly TimeSpan CallersTimeout = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan ExpiryMargin = TimeSpan.FromSeconds(30);

    private readonly string _owner = Guid.NewGuid().ToString("n");
    private readonly ConcurrentDictionary<PortalId, Lazy<Task<RestResult<Portal>>>> _running = new();
    private readonly RefreshPauses _pauses = new(time);

    /// <summary>A portal may say of any token that it has expired.</summary>
    private readonly PartitionedRateLimiter<PortalId> _earlyRefreshes = PartitionedRateLimiter.Create<PortalId, PortalId>(id =>
        RateLimitPartition.GetFixedWindowLimiter(id, _ => new() { PermitLimit = 30, Window = TimeSpan.FromMinutes(1) }));

    /// <summary>With tokens that are not known to be expired.</summary>
    public async Task<RestResult<Portal>> UsableAsync(PortalId id, CancellationToken cancellationToken)
    {
        if (apps.Find(id.App) is null)
            return RestError.NotConfigured;
        if (await FindAsync(id, cancellationToken) is not { State: not PortalState.Uninstalled } portal)
            return RestError.NotInstalled;
        if (portal.Tokens is null || portal.TokenState == TokenState.Dead)
            return await UseReserveAsync(portal, isForGood: false, cancellationToken) ?? RestError.NoTokens;
        return IsFresh(portal) ? portal : await RefreshAsync(portal, afresh: false, cancellationToken);
    }

    /// <summary>Gives newer tokens without a refresh where somebody else has brought them meanwhile.</summary>
    /// <param name="afresh">Asks the OAuth server even if it has refused a moment ago.</param>
    public async Task<RestResult<Portal>> RefreshAsync(Portal stale, bool afresh, CancellationToken cancellationToken)
    {
        if (!afresh && _pauses.Find(stale) is { } refused)
            return refused;

        // Lazy: the dictionary may ask for several values, and the lease cannot tell two refreshes of one process apart.
        var running = _running.GetOrAdd(stale.Id, _ => new(() => Task.Run(() => RefreshAloneAsync(stale))));
        try
        {
            return await running.Value.WaitAsync(CallersTimeout, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            return RestError.Unavailable("The OAuth server has not answered yet.");
        }
    }

    /// <summary>With newer tokens than these; null where nobody brings any, and unavailable where nobody can say yet.</summary>
    /// <remarks>A refresh voids the old access token before the new one is stored: one that is under way is waited for.</remarks>
    public async Task<RestResult<Portal>?> ReplacedAsync(Portal used, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        while (true)
        {
            if (_running.TryGetValue(used.Id, out var running))
                await Task.WhenAny(running.Value, Task.Delay(CallersTimeout, time, cancellationToken));
            // In this order: what is stored in between is found.
            var isUnderWay = _running.ContainsKey(used.Id)
                || await store.IsRefreshLeasedAsync(used.Id, used.TokensVersion, cancellationToken);
            if (await FindAsync(used.Id, cancellationToken) is not { Tokens: not null } now)
                return null;
            if (now.TokensVersion != used.TokensVersion)
                return now;
            if (!isUnderWay)
                return null;
            if (time.GetElapsedTime(started) >= CallersTimeout)
                return RestError.Unavailable("The portal's tokens are still being refreshed.");
            await Task.Delay(LeasePolling, time, cancellationToken);
        }
    }

    private bool IsFresh(Portal portal) => portal.Tokens?.ExpiresAt > time.GetUtcNow() + ExpiryMargin;

    private async Task<Portal?> FindAsync(PortalId id, CancellationToken cancellationToken) =>
        keeper.Find(id) ?? await store.FindAsync(id, cancellationToken);

    private async Task<RestResult<Portal>> RefreshAloneAsync(Portal stale)
    {
        try
        {
            var result = await RefreshLeasedAsync(stale);
            _pauses.Note(stale, result.Error);
            return result;
        }
        catch (DbException e)
        {
            Log.StoreFailed(logger, stale.Id, e.Message);
            return RestError.Unavailable("The database did not answer.");
        }
        finally
        {
            _running.TryRemove(stale.Id, out _);
        }
    }

    /// <summary>A refresh that is under way is not thrown away.</summary>
    public async ValueTask DisposeAsync()
    {
        await Task.WhenAny(Task.WhenAll(_running.Values.Select(r => r.Value)), Task.Delay(TimeSpan.FromSeconds(10)));
        await _earlyRefreshes.DisposeAsync();
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "The tokens of portal {MemberId} could not be refreshed: {Code}")]
        public static partial void RefreshFailed(ILogger logger, PortalId memberId, string code);

        [LoggerMessage(2, LogLevel.Warning,
            "The tokens of portal {MemberId} could not be refreshed, as the database did not answer: {Reason}")]
        public static partial void StoreFailed(ILogger logger, PortalId memberId, string reason);

        [LoggerMessage(3, LogLevel.Error,
            "The OAuth server answered a refresh for portal {MemberId} with another portal's tokens; they were discarded")]
        public static partial void OtherPortal(ILogger logger, PortalId memberId);

        [LoggerMessage(4, LogLevel.Critical,
            "The OAuth server does not accept the keys of the app {App}: its client_id or client_secret is wrong, "
            + "and none of its portals' tokens can be refreshed")]
        public static partial void KeysRefused(ILogger logger, string app);

        [LoggerMessage(5, LogLevel.Warning, "The tokens of portal {MemberId} are refused; calls go on with its reserve")]
        public static partial void ReserveUsed(ILogger logger, PortalId memberId);
    }
}
