using Bitrix24Placements.Events;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Rest;
using Bitrix24Placements.Work;

namespace Bitrix24Placements.Installation;

/// <summary>Any user of the portal can tell an uninstallation, so the OAuth server has the word.</summary>
/// <remarks>https://apidocs.bitrix24.com/api-reference/common/events/on-app-uninstall.html</remarks>
internal sealed partial class UninstallWork(
    PortalStore portals, OAuthClient oauth, TokenRefresher tokens, HostRules hosts, Inbox inbox, InstallationMetrics metrics,
        TimeProvider time, ILogger<UninstallWork> logger) : IWork
{
    /// <summary>For one portal, however many notices come.</summary>
    public static readonly TimeSpan ChecksApart = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan Budget = TimeSpan.FromSeconds(5);

    /// <summary>An uninstallation takes a moment to be known everywhere.</summary>
    private static readonly TimeSpan[] AskedAgainAfter = [TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(10)];

    public string Kind => WorkKind.Uninstall;

    private enum Answer
    {
        Gone,
        StillThere,
        None,

        /// <summary>There are no tokens, or they were dead before the notice came.</summary>
        NobodyToAsk,

        /// <summary>Whoever may have newer tokens.</summary>
        CutOff,
    }

    public async Task<WorkResult> RunAsync(WorkItem item, CancellationToken cancellationToken)
    {
        if (UninstallNotice.Read(item.Payload) is not { } notice
            || await portals.FindAsync(item.Id, cancellationToken) is not { } portal || portal.Epoch != notice.Epoch)
        {
            return WorkResult.Done;
        }

        // Back with the tokens of whoever was cut off, it is asked about.
        if (portal.State != PortalState.Installed)
            return portal is { State: PortalState.Suspended, HasUnfinishedRefresh: true } ? Later(item) : WorkResult.Done;

        // Tokens that have died since the notice were refused with invalid_grant, by whichever call asked first.
        var answer = portal.Tokens is null ? Answer.NobodyToAsk
            : portal.TokenState == TokenState.Dead ? notice.WasAlive ? Answer.Gone : Answer.NobodyToAsk
            : await AskAsync(portal, cancellationToken);
        // Another administrator's may live where the first one's have died, and an employee who knows it tells of an uninstallation.
        if (answer is Answer.Gone or Answer.NobodyToAsk && await tokens.UseReserveAsync(portal, cancellationToken) is { } reserve)
            answer = reserve.Ok ? await AskAsync(reserve.Value, cancellationToken) : GoneIf(reserve.Error.Code == RestErrors.InvalidGrant);
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
                await portals.SuspendAsync(portal.Id, portal.Epoch, cancellationToken);
                return answer == Answer.CutOff ? Later(item) : WorkResult.Done;
            case Answer.Gone:
                await UninstallAsync(portal, notice, cancellationToken);
                return WorkResult.Done;
            case Answer.StillThere when notice.StillThere < AskedAgainAfter.Length:
                return WorkResult.Again(AskedAgainAfter[notice.StillThere], (notice with { StillThere = notice.StillThere + 1 })
                    .Serialize());
            case Answer.StillThere:
                Log.Dropped(logger, portal.Id);
                // The row stays for a moment without a notice in it, so that the next notice keeps its distance.
                return WorkResult.Again(ChecksApart, "");
            default:
                return Later(item);
        }
    }

    private static WorkResult Later(WorkItem item) =>
        WorkResult.Again(Pauses.Growing(item.Attempt, 5, 10, 30, 120, 600, 1800, 3600));

    private async Task UninstallAsync(Portal portal, UninstallNotice notice, CancellationToken cancellationToken)
    {
        // Told first: whoever is killed in between asks, and tells, once more.
        await inbox.UninstalledAsync(portal, notice.Clean, time.GetUtcNow(), cancellationToken);
        if (await portals.UninstallAsync(portal.Id, notice.Epoch, notice.Clean, cancellationToken))
            Log.Uninstalled(logger, portal.Id, notice.Clean);
    }

    /// <summary>Whoever has begun a refresh and not told its end may hold the only valid tokens, and the others' refusal says
    /// nothing. Storing his brings the portal back.</summary>
    private async Task<Answer> UnlessRefreshedAsync(PortalId id, Answer answer, CancellationToken cancellationToken) =>
        await portals.FindAsync(id, cancellationToken) switch
        {
            { IsRefreshing: true } => Answer.None,
            { HasUnfinishedRefresh: true } => Answer.CutOff,
            _ => answer,
        };

    private static Answer GoneIf(bool isGone) => isGone ? Answer.Gone : Answer.None;

    /// <summary>A refusal of our keys speaks of us and not of the portal.</summary>
    private async Task<Answer> AskAsync(Portal portal, CancellationToken cancellationToken)
    {
        if (portal.Tokens!.ExpiresAt > time.GetUtcNow() && await ConfirmAsync(portal, cancellationToken) is { } known)
        {
            // A refresh voids the token before: where newer ones have come meanwhile, or are about to, its refusal says nothing.
            if (known != Answer.Gone || await tokens.ReplacedAsync(portal, cancellationToken) is not { } replaced)
                return known;
            return replaced.Ok ? await ConfirmAsync(replaced.Value, cancellationToken) ?? Answer.None : Answer.None;
        }

        var refreshed = await tokens.RefreshAsync(portal, afresh: true, cancellationToken);
        if (!refreshed.Ok)
            return GoneIf(refreshed.Error.Code == RestErrors.InvalidGrant);
        return await ConfirmAsync(refreshed.Value, cancellationToken) ?? Answer.None;
    }

    /// <summary>Null: the token has expired, so that its refusal says nothing.</summary>
    private async Task<Answer?> ConfirmAsync(Portal portal, CancellationToken cancellationToken)
    {
        // Another server does not know the token, whether or not the app is there.
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
