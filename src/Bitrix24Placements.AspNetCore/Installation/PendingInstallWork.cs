using Bitrix24Placements.Apps;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Rest;
using Bitrix24Placements.Storage;
using Bitrix24Placements.Work;

namespace Bitrix24Placements.Installation;

/// <summary>Confirms an installation that could not be confirmed when it was told.</summary>
internal sealed partial class PendingInstallWork(
    Installer installer, Administrators administrators, OAuthClient oauth, HostRules hosts, KeptInstallations kept,
        RenewedInstallations renewals, TokenVault vault, AppRegistry apps, TimeProvider time, ILogger<PendingInstallWork> logger) : IWork
{
    /// <summary>An added app hastens it.</summary>
    private static readonly TimeSpan LookForKeysEvery = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan AskForAppEvery = TimeSpan.FromHours(6);

    /// <summary>Perhaps the wrong certificate was configured. No longer, as it takes a place.</summary>
    private static readonly TimeSpan UnreadableFor = TimeSpan.FromDays(1);

    private static readonly TimeSpan ConfirmTimeout = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan RefreshTimeout = TimeSpan.FromSeconds(60);

    public string Kind => WorkKind.Install;

    public async Task<WorkResult> RunAsync(WorkItem item, CancellationToken cancellationToken)
    {
        var age = time.GetUtcNow() - item.CreatedAt;
        var opened = item.Payload is null ? null : InstallClaim.Open(vault, item.Id.MemberId, item.Payload, item.CreatedAt);
        if (opened is null && age < UnreadableFor)
            return WorkResult.Again(LookForKeysEvery);
        if (age > Installer.KeptFor || opened is not { } claim)
        {
            Log.Dropped(logger, item.Id, "too old, or its keys are lost");
            return WorkResult.Done;
        }

        var result = await installer.InstallAsync(claim, TimeSpan.Zero, cancellationToken);
        if (result.ClientId is { } clientId)
            await kept.NoteAsync(item, clientId, await IsVouchedForAsync(result, claim, cancellationToken), cancellationToken);
        switch (result.Verdict)
        {
            case InstallVerdict.Stored:
                return WorkResult.Done;
            case InstallVerdict.NotConfigured or InstallVerdict.UnknownApp:
                return WorkResult.Again(LookForKeysEvery);
            case InstallVerdict.NoAnswer:
                return WorkResult.Again(Pauses.AfterSilence(item.Attempt));
            // The refresh token outlives the access token by months.
            case InstallVerdict.Rejected or InstallVerdict.Expired
                when result.Info is null && await RenewAsync(item, claim, cancellationToken) is { } pause:
                return WorkResult.Again(pause);
            default:
                Log.Dropped(logger, item.Id, result.Rejection?.Code ?? result.Verdict.ToString());
                return WorkResult.Done;
        }
    }

    /// <summary>Every employee has tokens, of this app or of unknown ones: only an administrator's earn a place that others cannot
    /// take.</summary>
    private async Task<bool> IsVouchedForAsync(InstallResult result, InstallClaim claim, CancellationToken cancellationToken) =>
        result is { Verdict: InstallVerdict.UnknownApp, Info: { } user } && hosts.IsAllowedPortal(user.ClientEndpoint.Host)
        && (await administrators.AskUnlessOrdinaryAsync(new(user, claim.Access), cancellationToken)).Value;

    /// <summary>Null: no token at all. Nobody tells whose an expired one is: unless it was told before, each app's keys are
    /// tried.</summary>
    private async Task<TimeSpan?> RenewAsync(WorkItem item, InstallClaim claim, CancellationToken cancellationToken)
    {
        TimeSpan? pause = null;
        var clientId = await kept.ClientIdOfAsync(item, cancellationToken);
        foreach (var server in hosts.ConfiguredOAuthServer(claim.ServerEndpoint) is { } named ? [named] : hosts.OAuthServers)
        {
            var confirmation = await oauth.ConfirmAsync(claim.Access, server, ConfirmTimeout, cancellationToken);
            if (confirmation.Verdict == TokenVerdict.NoAnswer)
                return Pauses.AfterSilence(item.Attempt);
            // Its app may still be added, which hastens this, or a portal that is refused be paid for.
            if (confirmation.Verdict is TokenVerdict.Expired or TokenVerdict.Refused)
                pause = AskForAppEvery;
            if (confirmation.Verdict != TokenVerdict.Expired)
                continue;
            // No refresh whose answer could be lost: the old tokens are void as soon as it is sent.
            await using var place = await renewals.TakePlaceAsync(item, cancellationToken);
            if (place is null)
                return Pauses.AfterSilence(item.Attempt);
            foreach (var app in apps.All.Where(a => clientId is null || a.ClientId == clientId))
            {
                cancellationToken.ThrowIfCancellationRequested();
                // A stop waits for it.
                var refreshed = await oauth.RefreshAsync(app.Name, claim.Refresh, server, RefreshTimeout, CancellationToken.None);
                if (refreshed is { Error.Kind: not RestErrorKind.Refused })
                    return Pauses.AfterSilence(item.Attempt);
                if (refreshed.Value is not { Tokens: var tokens } answer || answer.MemberId != item.Id.MemberId)
                    continue;
                var renewed = claim with { Access = tokens.Access, Refresh = tokens.Refresh };
                await renewals.KeepAsync(
                    new(item.Id.MemberId, item.Id.App, item.Kind, item.CreatedAt, item.Payload!, renewed.Seal(vault)), place);
                return TimeSpan.Zero;
            }
        }

        return pause;
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "A kept installation of portal {MemberId} was dropped: {Reason}")]
        public static partial void Dropped(ILogger logger, PortalId memberId, string reason);
    }
}
