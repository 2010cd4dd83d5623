using System.Collections.Concurrent;
using System.Data.Common;
using Bitrix24Placements.Apps;
using Bitrix24Placements.Portals;

namespace Bitrix24Placements.Rest;

/// <summary>Usable tokens of a portal. One refresh per expired token: within the process by sharing its task, over all instances by a lease in the database.</summary>
/// <remarks>https://apidocs.bitrix24.com/settings/oauth/auto-renewal.html: refresh tokens rotate, and refreshing without need gets an app blocked.</remarks>
internal sealed partial class TokenRefresher(
    PortalStore store, OAuthClient oauth, RestMetrics metrics, AppRegistry apps, TimeProvider time, ILogger<TokenRefresher> logger) : IAsyncDisposable
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LeaseRenewal = TimeSpan.FromSeconds(4);

    /// <summary>Callers wait so long; the refresh itself goes on, because its answer, once sent, is the only valid token.</summary>
    private static readonly TimeSpan CallersPatience = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(60);

    /// <summary>A token that would expire on its way is as good as expired.</summary>
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(30);

    private readonly string _owner = Guid.NewGuid().ToString("n");
    private readonly ConcurrentDictionary<PortalId, Lazy<Task<RestResult<Portal>>>> _running = new();
    private readonly ConcurrentDictionary<PortalId, Trouble> _troubles = new();

    private sealed record Trouble(long Version, int Times, DateTimeOffset Until, RestError Error);

    /// <summary>The portal with tokens that are not known to be expired, refreshed first where they are.</summary>
    public async Task<RestResult<Portal>> UsableAsync(PortalId id, CancellationToken cancellationToken)
    {
        if (apps.Find(id.App) is null)
            return RestError.NotConfigured;
        if (await store.FindAsync(id, cancellationToken) is not { State: not PortalState.Uninstalled } portal)
            return RestError.NotInstalled;
        if (portal.Tokens is null || portal.TokenState == TokenState.Dead)
            return RestError.NoTokens;
        return portal.Tokens.ExpiresAt > time.GetUtcNow() + Margin ? portal : await RefreshAsync(portal, afresh: false, cancellationToken);
    }

    /// <summary>Replaces tokens that were found to be expired. Returns the newer ones without a refresh where somebody else has brought them meanwhile.</summary>
    /// <param name="afresh">Asks the OAuth server even if it has refused a moment ago.</param>
    public async Task<RestResult<Portal>> RefreshAsync(Portal stale, bool afresh, CancellationToken cancellationToken)
    {
        if (!afresh && _troubles.TryGetValue(stale.Id, out var trouble) && trouble.Version == stale.TokensVersion && trouble.Until > time.GetUtcNow())
            return trouble.Error;

        // Lazy, because the dictionary may ask for several values where callers meet, and the lease cannot tell two refreshes of one process apart.
        var running = _running.GetOrAdd(stale.Id, static (_, args) => new(() => Task.Run(() => args.Self.RefreshAloneAsync(args.Stale))), (Self: this, Stale: stale)).Value;
        try
        {
            return await running.WaitAsync(CallersPatience, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            return RestError.Unavailable("The OAuth server has not answered yet.");
        }
    }

    /// <summary>The portal with newer tokens than these, which somebody does not accept any more; null where nobody has brought any.</summary>
    /// <remarks>A refresh voids the old access token before the new one is stored: one that is under way is waited for, here and on other instances.</remarks>
    public async Task<Portal?> ReplacedAsync(Portal used, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        while (true)
        {
            if (_running.TryGetValue(used.Id, out var running))
                await Task.WhenAny(running.Value, Task.Delay(CallersPatience, time, cancellationToken));
            // In this order: what is stored between the two is found.
            var isLeased = await store.IsRefreshLeasedAsync(used.Id, used.TokensVersion, cancellationToken);
            if (await store.FindAsync(used.Id, cancellationToken) is not { Tokens: not null } now)
                return null;
            if (now.TokensVersion != used.TokensVersion)
                return now;
            if (!isLeased || time.GetElapsedTime(started) >= CallersPatience)
                return null;
            await Task.Delay(TimeSpan.FromMilliseconds(100), time, cancellationToken);
        }
    }

    private async Task<RestResult<Portal>> RefreshAloneAsync(Portal stale)
    {
        try
        {
            var result = await RefreshLeasedAsync(stale, CancellationToken.None);
            if (result.Ok)
                _troubles.TryRemove(stale.Id, out _);
            else
                Remember(stale, result.Error);
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

    /// <summary>Waits for the lease, or for the tokens that its holder stores.</summary>
    private async Task<RestResult<Portal>> RefreshLeasedAsync(Portal stale, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        while (time.GetElapsedTime(started) < CallersPatience)
        {
            if (await store.FindAsync(stale.Id, cancellationToken) is not { State: not PortalState.Uninstalled, Tokens: not null } portal)
                return RestError.NotInstalled;
            if (portal.TokenState == TokenState.Dead)
                return RestError.NoTokens;
            if (portal.TokensVersion != stale.TokensVersion)
                return portal;
            if (await store.TryLeaseRefreshAsync(portal.Id, portal.TokensVersion, _owner, Lease, cancellationToken))
                return await RefreshHoldingLeaseAsync(portal, cancellationToken);
            await Task.Delay(TimeSpan.FromMilliseconds(100), time, cancellationToken);
        }

        return RestError.Unavailable("Another instance is refreshing the portal's tokens.");
    }

    private async Task<RestResult<Portal>> RefreshHoldingLeaseAsync(Portal portal, CancellationToken cancellationToken)
    {
        var refresh = oauth.RefreshAsync(portal.Id.App, portal.Tokens!.Refresh, portal.OAuthServer, AnswerTimeout, cancellationToken);
        for (var renewals = 0; await Task.WhenAny(refresh, Task.Delay(LeaseRenewal, time, cancellationToken)) != refresh; renewals++)
        {
            await TryAsync(portal, () => store.TryLeaseRefreshAsync(portal.Id, portal.TokensVersion, _owner, Lease, cancellationToken));
            if (renewals == 0)
                await TryAsync(portal, () => store.SetTokenStateAsync(portal.Id, portal.TokensVersion, TokenState.Failing, cancellationToken));
        }

        var result = await refresh;
        if (!result.Ok)
            return await FailAsync(portal, result.Error, cancellationToken);
        if (result.Value.MemberId != portal.Id.MemberId)
        {
            Log.OtherPortal(logger, portal.Id);
            metrics.Refreshed("otherPortal");
            await store.ReleaseRefreshAsync(portal.Id, _owner, cancellationToken);
            return RestError.Unavailable("The OAuth server answered for another portal.");
        }

        await StoreAsync(portal, new(result.Value.Access, result.Value.Refresh, result.Value.ExpiresAt), cancellationToken);
        metrics.Refreshed("ok");
        return await store.FindAsync(portal.Id, cancellationToken) is { Tokens: not null } now ? now : RestError.NotInstalled;
    }

    /// <summary>The answer holds the only valid tokens there are: a locked database is waited for.</summary>
    private async Task StoreAsync(Portal portal, PortalTokens tokens, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await store.StoreRefreshedAsync(portal.Id, portal.TokensVersion, tokens, cancellationToken);
                return;
            }
            catch (DbException e) when (attempt < 30)
            {
                Log.StoreFailed(logger, portal.Id, e.Message);
                await Task.Delay(TimeSpan.FromMilliseconds(Math.Min(2000, 50 * attempt)), time, cancellationToken);
            }
        }
    }

    private async Task<RestResult<Portal>> FailAsync(Portal portal, RestError error, CancellationToken cancellationToken)
    {
        metrics.Refreshed(RestErrors.Label(error.Code));
        var dead = error is { Kind: RestErrorKind.Refused, Code: "invalid_grant" };
        Log.RefreshFailed(logger, portal.Id, error.Code);
        await store.SetTokenStateAsync(portal.Id, portal.TokensVersion, dead ? TokenState.Dead : TokenState.Failing, cancellationToken);
        await store.ReleaseRefreshAsync(portal.Id, _owner, cancellationToken);
        // Somebody may have brought newer tokens while this refresh was refused.
        if (await store.FindAsync(portal.Id, cancellationToken) is { Tokens: not null } now && now.TokensVersion != portal.TokensVersion)
            return now;
        return error;
    }

    /// <summary>A pause that grows while an OAuth server refuses or is silent. Newer tokens end it.</summary>
    private void Remember(Portal portal, RestError error)
    {
        var times = _troubles.TryGetValue(portal.Id, out var before) && before.Version == portal.TokensVersion ? before.Times + 1 : 1;
        var seconds = error.Kind == RestErrorKind.Refused ? 60 : Math.Min(60, 0.5 * Math.Pow(2, times - 1));
        _troubles[portal.Id] = new(portal.TokensVersion, times, time.GetUtcNow() + TimeSpan.FromSeconds(seconds), error);
        if (_troubles.Count > 10_000)
            _troubles.Clear();
    }

    private async Task TryAsync(Portal portal, Func<Task> action)
    {
        try
        {
            await action();
        }
        catch (DbException e)
        {
            Log.StoreFailed(logger, portal.Id, e.Message);
        }
    }

    /// <summary>Ends what has begun: a refresh that is under way is not thrown away.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await Task.WhenAll(_running.Values.Select(static r => r.Value)).WaitAsync(TimeSpan.FromSeconds(10));
        }
        catch (TimeoutException)
        {
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "The tokens of portal {MemberId} could not be refreshed: {Code}")]
        public static partial void RefreshFailed(ILogger logger, PortalId memberId, string code);

        [LoggerMessage(2, LogLevel.Error, "Refreshed tokens of portal {MemberId} cannot be stored yet: {Reason}")]
        public static partial void StoreFailed(ILogger logger, PortalId memberId, string reason);

        [LoggerMessage(3, LogLevel.Error, "The OAuth server answered a refresh for portal {MemberId} with another portal's tokens; they were discarded")]
        public static partial void OtherPortal(ILogger logger, PortalId memberId);
    }
}
