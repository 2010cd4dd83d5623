using Bitrix24Placements.Portals;

namespace Bitrix24Placements.Rest;

internal sealed partial class TokenRefresher
{
    /// <summary>Longer than an answer may take: nobody renews it meanwhile.</summary>
    private static readonly TimeSpan ReserveLease = AnswerTimeout + Lease;

    /// <summary>Null where there is no reserve.</summary>
    /// <param name="isForGood">By the OAuth server's word. Otherwise the two pairs change places: the first may prove good after
    /// all.</param>
    public Task<RestResult<Portal>?> UseReserveAsync(Portal refused, bool isForGood, CancellationToken cancellationToken) =>
        UseReserveAsync(refused, isForGood, now => RefreshAsync(now, afresh: false, cancellationToken), cancellationToken);

    private async Task<RestResult<Portal>?> UseReserveAsync(
        Portal refused, bool isForGood, Func<Portal, Task<RestResult<Portal>>> refresh, CancellationToken cancellationToken)
    {
        // One that cannot be decrypted waits for its key.
        if ((await store.FindAsync(refused.Id, cancellationToken))?.Reserve is { } reserve
            && await store.UseReserveAsync(refused.Id, refused.TokensVersion, reserve.Version, isForGood, cancellationToken))
        {
            Log.ReserveUsed(logger, refused.Id);
        }

        if (await store.FindAsync(refused.Id, cancellationToken) is not { Tokens: not null, TokenState: not TokenState.Dead } now
            || now.TokensVersion == refused.TokensVersion)
        {
            return null;
        }

        return IsFresh(now) ? now : await refresh(now);
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
            var result = await AskAsync(portal, reserve.Tokens);
            if (result.Ok)
            {
                await keeper.KeepReserveAsync(portal, reserve, result.Value.Tokens, place);
                return;
            }

            await place.DisposeAsync();
            if (result.Error.Code == RestErrors.InvalidGrant)
                await store.DropReserveAsync(portal.Id, reserve.Version, CancellationToken.None);
        }

        await ReleaseAsync(portal);
    }
}
