using Bitrix24Placements.Portals;

namespace Bitrix24Placements.Rest;

internal sealed partial class TokenRefresher
{
    /// <summary>Longer than an answer may take: nobody renews it meanwhile.</summary>
    private static readonly TimeSpan ReserveLease = AnswerTimeout + Lease;

    /// <summary>Null where there is no reserve.</summary>
    public async Task<RestResult<Portal>?> UseReserveAsync(Portal refused, CancellationToken cancellationToken)
    {
        if (await store.UseReserveAsync(refused.Id, refused.TokensVersion, cancellationToken))
            Log.ReserveUsed(logger, refused.Id);
        if (await store.FindAsync(refused.Id, cancellationToken) is not { Tokens: { } tokens, TokenState: not TokenState.Dead } now
            || now.TokensVersion == refused.TokensVersion)
        {
            return null;
        }

        return tokens.ExpiresAt > time.GetUtcNow() + ExpiryMargin ? now : await RefreshLeasedAsync(now, cancellationToken);
    }

    /// <summary>Before its refresh token is too old; one that is refused for good goes.</summary>
    public async Task RefreshReserveAsync(Portal portal, CancellationToken cancellationToken)
    {
        if (portal.Reserve is not { } reserve
            || !await store.TryLeaseReserveAsync(portal.Id, reserve.Version, _owner, ReserveLease, cancellationToken))
        {
            return;
        }

        if (await keeper.TakePlaceAsync(portal.Id, cancellationToken) is { } place)
        {
            // Not to be given up with its caller: the old tokens are void as soon as it is sent.
            var result = await AskAsync(portal, reserve.Tokens, CancellationToken.None);
            if (result.Ok)
            {
                await keeper.KeepReserveAsync(portal.Id, reserve.Version, result.Value.Tokens, place);
                return;
            }

            await place.DisposeAsync();
            if (result.Error.Code == RestErrors.InvalidGrant)
                await store.DropReserveAsync(portal.Id, reserve.Version, CancellationToken.None);
        }

        await store.ReleaseRefreshAsync(portal, _owner, CancellationToken.None);
    }
}
