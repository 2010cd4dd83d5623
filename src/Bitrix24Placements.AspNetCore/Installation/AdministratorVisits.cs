using Bitrix24Placements.Placements;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Rest;
using Bitrix24Placements.Work;

namespace Bitrix24Placements.Installation;

/// <summary>An administrator's fresh tokens mend a portal or become its reserve; once a day the placements are looked at.</summary>
internal sealed partial class AdministratorVisits(
    Administrators administrators, PortalStore portals, WorkStore work, DetachedTasks tasks, TimeProvider time,
    ILogger<AdministratorVisits> logger)
{
    private static readonly TimeSpan CheckEvery = TimeSpan.FromDays(1);

    /// <summary>How long his page waits for what his visit mends.</summary>
    private static readonly TimeSpan MendingTimeout = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<(PortalId Id, long UserId), bool> _visits = new();

    public async Task VisitAsync(KnownPortal known, TokenInfo user, PlacementPost post)
    {
        var visitor = (known.Id, user.UserId);
        if (!(known.NeedsTokens || IsCheckDue(known) || known.WantsReserve(user.UserId))
            || administrators.IsOrdinary(visitor) || !_visits.TryAdd(visitor, true))
            return;
        var visit = tasks.Run("An administrator's visit", async cancellationToken =>
        {
            try
            {
                if ((await administrators.AskAsync(
                    new(user, post.AccessToken), cancellationToken, mayWait: !known.NeedsTokens)).Value)
                    await UseAsync(known, user, post, cancellationToken);
            }
            finally
            {
                _visits.TryRemove(visitor, out _);
            }
        });
        if (known.NeedsTokens)
            await Task.WhenAny(visit, Task.Delay(MendingTimeout, time));
    }

    private async Task UseAsync(KnownPortal known, TokenInfo user, PlacementPost post, CancellationToken cancellationToken)
    {
        var tokens = new PortalTokens(post.AccessToken, post.RefreshToken, user.ExpiresAt);
        if (known.NeedsTokens && !post.RefreshToken.IsEmpty)
            await MendAsync(user, tokens, cancellationToken);
        else if (known.WantsReserve(user.UserId) && !post.RefreshToken.IsEmpty)
            await portals.SaveReserveAsync(known.Id, new(tokens, user.UserId, IsAdministrator: true), cancellationToken);
        if (IsCheckDue(known) && await portals.TakeCheckAsync(known.Id, time.GetUtcNow() - CheckEvery, cancellationToken))
            await work.RequestAsync(new(known.Id, WorkKind.Look), cancellationToken);
    }

    private async Task MendAsync(TokenInfo user, PortalTokens tokens, CancellationToken cancellationToken)
    {
        if (!await portals.ReplaceTokensAsync(user.Id, user.UserId, tokens, user.Server, cancellationToken))
            return;
        Log.Mended(logger, user.Id);
        await work.RequestAsync(new(user.Id, WorkKind.Reconcile), cancellationToken);
    }

    private bool IsCheckDue(KnownPortal known) => known.CheckedAt < time.GetUtcNow() - CheckEvery;

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "An administrator's page has brought portal {MemberId} new tokens")]
        public static partial void Mended(ILogger logger, PortalId memberId);
    }
}
