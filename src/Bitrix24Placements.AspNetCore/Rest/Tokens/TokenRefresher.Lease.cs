using Bitrix24Placements.Portals;

namespace Bitrix24Placements.Rest;

internal sealed partial class TokenRefresher
{
    /// <summary>Waits for the lease, or for the tokens that its holder stores.</summary>
    private async Task<RestResult<Portal>> RefreshLeasedAsync(Portal stale, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        while (time.GetElapsedTime(started) < CallersTimeout)
        {
            if (await FindAsync(stale.Id, cancellationToken) is not { State: not PortalState.Uninstalled, Tokens: not null } portal)
                return RestError.NotInstalled;
            if (portal.TokensVersion != stale.TokensVersion)
                return portal;
            if (portal.TokenState == TokenState.Dead)
                return await UseReserveAsync(portal, cancellationToken) ?? RestError.NoTokens;
            if (await store.TryLeaseRefreshAsync(portal.Id, portal.TokensVersion, _owner, Lease, cancellationToken))
                return await RefreshIfNotTooEarlyAsync(portal, portal.Tokens, cancellationToken);
            await Task.Delay(LeasePolling, time, cancellationToken);
        }

        return RestError.Unavailable("Another instance is refreshing the portal's tokens.");
    }

    private async Task<RestResult<Portal>> RefreshIfNotTooEarlyAsync(
        Portal portal, PortalTokens tokens, CancellationToken cancellationToken)
    {
        if (tokens.ExpiresAt <= time.GetUtcNow() + ExpiryMargin || _earlyRefreshes.AttemptAcquire(portal.Id).IsAcquired)
            return await RefreshHoldingLeaseAsync(portal, tokens, cancellationToken);
        await store.ReleaseRefreshAsync(portal, _owner, cancellationToken);
        return RestError.Unavailable("The portal keeps saying that fresh tokens have expired.");
    }

    private async Task<RestResult<Portal>> RefreshHoldingLeaseAsync(Portal portal, PortalTokens tokens, CancellationToken cancellationToken)
    {
        // No refresh whose answer could be lost: the old tokens are void as soon as it is sent.
        if (await keeper.TakePlaceAsync(portal.Id, cancellationToken) is not { } place)
        {
            await store.ReleaseRefreshAsync(portal, _owner, cancellationToken);
            return RestError.Unavailable("There is no room to keep refreshed tokens.");
        }

        var isKept = false;
        try
        {
            var result = await AwaitAnswerAsync(portal, AskAsync(portal, tokens, cancellationToken), cancellationToken);
            if (!result.Ok)
                return await FailAsync(portal, result.Error, cancellationToken);
            isKept = true;
            var renewed = await keeper.KeepAsync(portal, result.Value.Tokens, place);
            if (!result.Value.ByPreviousSecret)
                await ConfirmSecretAsync(portal.Id.App, cancellationToken);
            return renewed;
        }
        finally
        {
            if (!isKept)
                await place.DisposeAsync();
        }
    }

    private async Task<RestResult<RefreshedTokens>> AskAsync(Portal portal, PortalTokens tokens, CancellationToken cancellationToken)
    {
        var result = await oauth.RefreshAsync(portal.Id.App, tokens.Refresh, portal.OAuthServer, AnswerTimeout, cancellationToken);
        if (result.Ok && result.Value.MemberId != portal.Id.MemberId)
        {
            Log.OtherPortal(logger, portal.Id);
            result = RestError.Unavailable("The OAuth server answered for another portal.");
        }

        metrics.Refreshed(portal.Id, RestErrors.Label(result.Error?.Code));
        return result;
    }

    private async Task ConfirmSecretAsync(string app, CancellationToken cancellationToken)
    {
        troubles.Note(app, isWrong: false);
        try
        {
            await apps.ConfirmSecretAsync(app, cancellationToken);
        }
        catch (DbException)
        {
            // The next refresh confirms it as well.
        }
    }

    private async Task<RestResult<RefreshedTokens>> AwaitAnswerAsync(
        Portal portal, Task<RestResult<RefreshedTokens>> refresh, CancellationToken cancellationToken)
    {
        for (var renewals = 0; await Task.WhenAny(refresh, Task.Delay(LeaseRenewal, time, cancellationToken)) != refresh; renewals++)
        {
            try
            {
                await store.TryLeaseRefreshAsync(portal.Id, portal.TokensVersion, _owner, Lease, cancellationToken);
                if (renewals == 0)
                    await store.SetTokenStateAsync(portal.Id, portal.TokensVersion, TokenState.Failing, cancellationToken);
            }
            catch (DbException)
            {
                // The answer that is being waited for is worth more than the lease.
            }
        }

        return await refresh;
    }

    private async Task<RestResult<Portal>> FailAsync(Portal portal, RestError error, CancellationToken cancellationToken)
    {
        if (error.Code == RestErrors.InvalidClient && troubles.Note(portal.Id.App, isWrong: true))
            Log.KeysRefused(logger, portal.Id.App);
        Log.RefreshFailed(logger, portal.Id, error.Code);
        var isDead = error is { Kind: RestErrorKind.Refused, Code: RestErrors.InvalidGrant };
        await store.SetTokenStateAsync(portal.Id, portal.TokensVersion, isDead ? TokenState.Dead : TokenState.Failing, cancellationToken);
        await store.ReleaseRefreshAsync(portal, _owner, cancellationToken);
        if (isDead && await UseReserveAsync(portal, cancellationToken) is { } withReserve)
            return withReserve;
        // Somebody may have brought newer tokens while this refresh was refused.
        return await store.FindAsync(portal.Id, cancellationToken) is { Tokens: not null } now && now.TokensVersion != portal.TokensVersion
            ? now : error;
    }
}
