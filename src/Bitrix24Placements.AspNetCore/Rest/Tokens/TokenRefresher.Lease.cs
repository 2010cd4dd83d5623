using Bitrix24Placements.Portals;

namespace Bitrix24Placements.Rest;

/// <summary>Nothing in here is given up with a caller: the old tokens are void as soon as a refresh is sent.</summary>
internal sealed partial class TokenRefresher
{
    /// <summary>Waits for the lease, or for the tokens that its holder stores.</summary>
    private async Task<RestResult<Portal>> RefreshLeasedAsync(Portal stale)
    {
        var started = time.GetTimestamp();
        while (time.GetElapsedTime(started) < CallersTimeout)
        {
            if (await FindAsync(stale.Id, CancellationToken.None) is not { State: not PortalState.Uninstalled, Tokens: { } tokens } portal)
                return RestError.NotInstalled;
            if (portal.TokensVersion != stale.TokensVersion)
                return portal;
            if (portal.TokenState == TokenState.Dead)
                return await UseReserveAsync(portal, isForGood: true, RefreshLeasedAsync, CancellationToken.None) ?? RestError.NoTokens;
            if (await TryLeaseAsync(portal))
                return await RefreshHoldingLeaseAsync(portal, tokens);
            await Task.Delay(LeasePolling, time);
        }

        return RestError.Unavailable("Another instance is refreshing the portal's tokens.");
    }

    private async Task<RestResult<Portal>> RefreshHoldingLeaseAsync(Portal portal, PortalTokens tokens)
    {
        if (IsFresh(portal) && !_earlyRefreshes.Take(portal.Id).IsAcquired)
        {
            await ReleaseAsync(portal);
            return RestError.Unavailable("The portal keeps saying that fresh tokens have expired.");
        }

        // No refresh whose answer could be lost.
        if (await keeper.TakePlaceAsync(portal.Id, CancellationToken.None) is not { } place)
        {
            await ReleaseAsync(portal);
            return RestError.Unavailable("There is no room to keep refreshed tokens.");
        }

        var isKept = false;
        try
        {
            var result = await AwaitAnswerAsync(portal, AskAsync(portal, tokens));
            if (!result.Ok)
                return await FailAsync(portal, result.Error);
            isKept = true;
            var renewed = await keeper.KeepAsync(portal, result.Value.Tokens, place);
            await ConfirmSecretAsync(portal.Id.App, result.Value.ClientSecret);
            return renewed;
        }
        finally
        {
            if (!isKept)
                await place.DisposeAsync();
        }
    }

    private Task<bool> TryLeaseAsync(Portal portal) =>
        store.TryLeaseRefreshAsync(portal.Id, portal.TokensVersion, _owner, Lease, CancellationToken.None);

    private Task ReleaseAsync(Portal portal) => store.ReleaseRefreshAsync(portal, _owner, CancellationToken.None);

    private async Task<RestResult<RefreshedTokens>> AskAsync(Portal portal, PortalTokens tokens)
    {
        var result = await oauth.RefreshAsync(portal.Id.App, tokens.Refresh, portal.OAuthServer, AnswerTimeout, CancellationToken.None);
        if (result.Ok && result.Value.MemberId != portal.Id.MemberId)
        {
            Log.OtherPortal(logger, portal.Id);
            result = RestError.Unavailable("The OAuth server answered for another portal.");
        }

        metrics.Refreshed(portal.Id, RestErrors.Label(result.Error?.Code));
        return result;
    }

    /// <param name="secret">With which the refresh began: the app may have another by now.</param>
    private async Task ConfirmSecretAsync(string app, Secret secret)
    {
        if (apps.Find(app)?.ClientSecret != secret)
            return;
        troubles.Note(app, isWrong: false);
        try
        {
            await apps.ConfirmSecretAsync(app, CancellationToken.None);
        }
        catch (DbException)
        {
            // The next refresh confirms it as well.
        }
    }

    private async Task<RestResult<RefreshedTokens>> AwaitAnswerAsync(Portal portal, Task<RestResult<RefreshedTokens>> refresh)
    {
        for (var renewals = 0; await Task.WhenAny(refresh, Task.Delay(LeaseRenewal, time)) != refresh; renewals++)
        {
            try
            {
                await TryLeaseAsync(portal);
                if (renewals == 0)
                    await SetStateAsync(portal, TokenState.Failing);
            }
            catch (DbException)
            {
                // The answer that is being waited for is worth more than the lease.
            }
        }

        return await refresh;
    }

    private Task<bool> SetStateAsync(Portal portal, TokenState state) =>
        store.SetTokenStateAsync(portal.Id, portal.TokensVersion, state, CancellationToken.None);

    private async Task<RestResult<Portal>> FailAsync(Portal portal, RestError error)
    {
        if (error.Code == RestErrors.InvalidClient && troubles.Note(portal.Id.App, isWrong: true))
            Log.KeysRefused(logger, portal.Id.App);
        Log.RefreshFailed(logger, portal.Id, error.Code);
        var isDead = error is { Kind: RestErrorKind.Refused, Code: RestErrors.InvalidGrant };
        await SetStateAsync(portal, isDead ? TokenState.Dead : TokenState.Failing);
        await ReleaseAsync(portal);
        if (isDead && await UseReserveAsync(portal, isForGood: true, RefreshLeasedAsync, CancellationToken.None) is { } withReserve)
            return withReserve;
        // Somebody may have brought newer tokens while this refresh was refused.
        return await store.FindAsync(portal.Id, CancellationToken.None) is { Tokens: not null } now
            && now.TokensVersion != portal.TokensVersion ? now : error;
    }
}
