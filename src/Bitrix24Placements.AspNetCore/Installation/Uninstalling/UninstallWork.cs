using Bitrix24Placements.Events;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Rest;
using Bitrix24Placements.Work;

namespace Bitrix24Placements.Installation;

/// <summary>Any user can send the notice, so the OAuth server decides.</summary>
/// <remarks>https://apidocs.bitrix24.com/api-reference/common/events/on-app-uninstall.html</remarks>
internal sealed partial class UninstallWork(
    PortalStore portals, OAuthClient oauth, TokenRefresher tokens, HostRules hosts, InboxStore inbox, SpooledEvents spooled,
    InstallationMetrics metrics, TimeProvider time, ILogger<UninstallWork> logger) : IWork
{
    /// <summary>For one portal, however many notices come.</summary>
    public static readonly TimeSpan ChecksApart = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan LookAtSpoolEvery = TimeSpan.FromSeconds(1);

    /// <summary>They may find no room for days.</summary>
    private static readonly TimeSpan MaxWaitForEvents = TimeSpan.FromHours(1);

    private static readonly TimeSpan Budget = TimeSpan.FromSeconds(5);

    /// <summary>It takes a moment to be known everywhere.</summary>
    private static readonly TimeSpan[] AskedAgainAfter = [TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(10)];

    public string Kind => WorkKind.Uninstall;

    private enum Answer
    {
        Gone,
        StillThere,
        None,

        /// <summary>No tokens, or they were dead before the notice.</summary>
        NobodyToAsk,

        /// <summary>Whoever may have newer tokens has not told them.</summary>
        CutOff,
    }

    public async Task<WorkResult> RunAsync(WorkItem item, CancellationToken cancellationToken)
    {
        if (UninstallNotice.Read(item.Payload) is not { } notice
            || await portals.FindAsync(item.Id, cancellationToken) is not { } portal || portal.Epoch != notice.Epoch)
            return WorkResult.Done;
        // Newer tokens may bring it back: then it is asked about.
        if (portal.State != PortalState.Installed)
            return portal is { State: PortalState.Suspended, HasUnfinishedRefresh: true } ? Later(item) : WorkResult.Done;

        // Another notice, which keeps the row and so wins, or events that came before may not have been carried over yet.
        if ((notice.Clean && spooled.HasCarefulNotice(item.Id, portal.ApplicationTokenHash))
            || (spooled.HasEvents(portal) && time.GetUtcNow() - (notice.FirstToldAt ?? item.CreatedAt) < MaxWaitForEvents))
            return WorkResult.Again(LookAtSpoolEvery);

        // Dead since the notice: some call was refused with invalid_grant.
        var answer = portal.Tokens is null ? Answer.NobodyToAsk
            : portal.TokenState == TokenState.Dead ? notice.WasAlive ? Answer.Gone : Answer.NobodyToAsk
            : await AskAsync(portal, cancellationToken);
        // Another administrator's tokens may live; an employee's tell of an uninstallation as well.
        if (answer is Answer.Gone or Answer.NobodyToAsk
            && await tokens.UseReserveAsync(portal, isForGood: answer == Answer.Gone, cancellationToken) is { } reserve)
        {
            answer = reserve.Ok ? await AskAsync(reserve.Value, cancellationToken) : Read(reserve.Error);
            portal = portal with { TokensVersion = (reserve.Ok ? reserve.Value : portal).TokensVersion };
        }

        if (answer is Answer.Gone or Answer.NobodyToAsk)
            answer = await UnlessRefreshedAsync(item.Id, answer, cancellationToken);
        metrics.Uninstall(answer switch
        {
            Answer.Gone => "gone",
            Answer.StillThere => "stillThere",
            Answer.NobodyToAsk or Answer.CutOff => "suspended",
            _ => "noAnswer",
        });
        switch (answer)
        {
            case Answer.NobodyToAsk or Answer.CutOff:
                Log.Suspended(logger, portal.Id);
                await portals.SuspendAsync(portal, cancellationToken);
                return answer == Answer.CutOff ? Later(item) : WorkResult.Done;
            case Answer.Gone:
                // Otherwise somebody has brought other tokens in this very moment.
                return await UninstallAsync(portal, notice, cancellationToken) ? WorkResult.Done : WorkResult.Again(ChecksApart);
            case Answer.StillThere when notice.StillThere < AskedAgainAfter.Length:
                return WorkResult.Again(AskedAgainAfter[notice.StillThere], (notice with { StillThere = notice.StillThere + 1 })
                    .Serialize());
            case Answer.StillThere:
                Log.Dropped(logger, portal.Id);
                // Kept for a moment without a notice, so that the next one keeps its distance.
                return WorkResult.Again(ChecksApart, "");
            default:
                return Later(item);
        }
    }

    private static WorkResult Later(WorkItem item) =>
        WorkResult.Again(Pauses.Growing(item.Attempt, 5, 10, 30, 120, 600, 1800, 3600));

    private async Task<bool> UninstallAsync(Portal asked, UninstallNotice notice, CancellationToken cancellationToken)
    {
        var isClean = false;
        var isUninstalled = await portals.UninstallAsync(
            asked, payload => notice.With(UninstallNotice.Read(payload)).Clean,
            (connection, clean) =>
            {
                isClean = clean;
                return inbox.UninstalledAsync(connection, asked, clean, time.GetUtcNow());
            }, cancellationToken);
        if (isUninstalled)
            Log.Uninstalled(logger, asked.Id, isClean);
        return isUninstalled;
    }

    /// <summary>Whoever has not told the end of his refresh may hold the only valid tokens: a refusal of others says nothing. Storing his
    /// brings the portal back.</summary>
    private async Task<Answer> UnlessRefreshedAsync(PortalId id, Answer answer, CancellationToken cancellationToken) =>
        await portals.FindAsync(id, cancellationToken) switch
        {
            { IsRefreshing: true } => Answer.None,
            { HasUnfinishedRefresh: true } => Answer.CutOff,
            _ => answer,
        };

    /// <summary>A refusal of our keys says nothing of the portal.</summary>
    private static Answer Read(RestError error) => error.Code == RestErrors.InvalidGrant ? Answer.Gone : Answer.None;

    private async Task<Answer> AskAsync(Portal portal, CancellationToken cancellationToken)
    {
        if (portal.Tokens!.ExpiresAt > time.GetUtcNow() && await ConfirmAsync(portal, cancellationToken) is { } known)
        {
            // A refresh voids the earlier token: where there are newer ones, or soon will be, its refusal says nothing.
            if (known != Answer.Gone || await tokens.ReplacedAsync(portal, cancellationToken) is not { } replaced)
                return known;
            return replaced.Ok ? await ConfirmAsync(replaced.Value, cancellationToken) ?? Answer.None : Answer.None;
        }

        var refreshed = await tokens.RefreshAsync(portal, afresh: true, cancellationToken);
        return refreshed.Ok ? await ConfirmAsync(refreshed.Value, cancellationToken) ?? Answer.None : Read(refreshed.Error);
    }

    /// <summary>Null: expired, so that the refusal says nothing.</summary>
    private async Task<Answer?> ConfirmAsync(Portal portal, CancellationToken cancellationToken)
    {
        // Another server never knows the token.
        if (hosts.ConfiguredOAuthServer(portal.OAuthServer.AbsoluteUri) is not { } server)
            return Answer.None;
        var confirmation = await oauth.ConfirmAsync(portal.Tokens!.Access, server, Budget, cancellationToken);
        return confirmation.Verdict switch
        {
            TokenVerdict.Invalid => Answer.Gone,
            TokenVerdict.Expired => null,
            TokenVerdict.Confirmed when confirmation.Info!.Id == portal.Id => Answer.StillThere,
            _ => Answer.None,
        };
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "Portal {MemberId} has uninstalled the app (clean: {Clean})")]
        public static partial void Uninstalled(ILogger logger, PortalId memberId, bool clean);

        [LoggerMessage(2, LogLevel.Warning,
            "Portal {MemberId} is said to have uninstalled the app, but the OAuth server keeps saying that it is there; "
            + "the notice was dropped")]
        public static partial void Dropped(ILogger logger, PortalId memberId);

        [LoggerMessage(3, LogLevel.Warning,
            "Portal {MemberId} is said to have uninstalled the app, and its tokens are dead, so that nobody can confirm it; "
            + "it is suspended until an administrator opens the app")]
        public static partial void Suspended(ILogger logger, PortalId memberId);
    }
}
