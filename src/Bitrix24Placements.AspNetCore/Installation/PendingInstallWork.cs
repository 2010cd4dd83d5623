using Bitrix24Placements.Apps;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Rest;
using Bitrix24Placements.Storage;
using Bitrix24Placements.Work;

namespace Bitrix24Placements.Installation;

/// <summary>Finishes an installation that could not be confirmed when it was told.</summary>
internal sealed partial class PendingInstallWork(
    Installer installer, Administrators administrators, OAuthClient oauth, HostRules hosts, WorkStore work, KeptInstallations kept,
        TokenVault vault, AppRegistry apps, TimeProvider time, ILogger<PendingInstallWork> logger) : IWork
{
    /// <summary>A change of the apps comes sooner: it hastens what is kept.</summary>
    private static readonly TimeSpan LookForKeysEvery = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan AskForAppEvery = TimeSpan.FromHours(6);

    private static readonly TimeSpan ConfirmTimeout = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan RefreshTimeout = TimeSpan.FromSeconds(20);

    public string Kind => WorkKind.Install;

    public async Task<WorkResult> RunAsync(WorkItem item, CancellationToken cancellationToken)
    {
        var memberId = item.Id.MemberId;
        if (time.GetUtcNow() - item.CreatedAt > Installer.KeptFor || item.Payload is null
            || vault.Unprotect(memberId, "install", item.Payload) is not { } opened
                || InstallClaim.Deserialize(memberId, opened, item.CreatedAt) is not { } claim)
        {
            Log.Dropped(logger, item.Id, "too old, or its keys are lost");
            return WorkResult.Done;
        }

        var result = await installer.InstallAsync(claim, TimeSpan.Zero, cancellationToken);
        if (result.ClientId is { } clientId)
            await kept.NoteAsync(item, clientId, await IsVouchedForAsync(result, claim, cancellationToken), cancellationToken);
        switch (result)
        {
            case { Verdict: InstallVerdict.Stored }:
                return WorkResult.Done;
            case { Verdict: InstallVerdict.NotConfigured or InstallVerdict.UnknownApp }:
                return WorkResult.Again(LookForKeysEvery);
            case { Verdict: InstallVerdict.NoAnswer }:
                return WorkResult.Again(Pauses.AfterSilence(item.Attempt));
            // Waiting may have outlived the access token; the refresh token lives for months.
            case { Verdict: InstallVerdict.Rejected or InstallVerdict.Expired, Info: null }
                when await RenewAsync(item, claim, cancellationToken) is { } pause:
                return WorkResult.Again(pause);
            default:
                Log.Dropped(logger, item.Id, result.Rejection?.Code ?? result.Verdict.ToString());
                return WorkResult.Done;
        }
    }

    /// <summary>Every employee has tokens of the portal's apps: of an unknown one only an administrator's is worth a place that others
    /// cannot take.</summary>
    private async Task<bool> IsVouchedForAsync(InstallResult result, InstallClaim claim, CancellationToken cancellationToken) =>
        result.Verdict != InstallVerdict.UnknownApp || (result.Info is { } user && hosts.IsAllowedPortal(user.ClientEndpoint.Host)
            && await administrators.AskUnlessOrdinaryAsync(new(user, claim.Access), cancellationToken) is { Ok: true, Value: true });

    /// <summary>Null where it is no token at all. Which app an expired token belongs to, nobody tells: each app's keys are
    /// tried.</summary>
    private async Task<TimeSpan?> RenewAsync(WorkItem item, InstallClaim claim, CancellationToken cancellationToken)
    {
        TimeSpan? pause = null;
        foreach (var server in hosts.ConfiguredOAuthServer(claim.ServerEndpoint) is { } named ? [named] : hosts.OAuthServers)
        {
            var confirmation = await oauth.ConfirmAsync(claim.Access, server, ConfirmTimeout, cancellationToken);
            if (confirmation.Verdict == TokenVerdict.NoAnswer)
                return Pauses.AfterSilence(item.Attempt);
            if (confirmation.Verdict != TokenVerdict.Expired)
                continue;
            // It was one: its app may still be added, which hastens this.
            pause = AskForAppEvery;
            foreach (var app in apps.All)
            {
                var refreshed = await oauth.RefreshAsync(app.Name, claim.Refresh, server, RefreshTimeout, cancellationToken);
                if (!refreshed.Ok && refreshed.Error.Kind != RestErrorKind.Refused)
                    return Pauses.AfterSilence(item.Attempt);
                if (!refreshed.Ok || refreshed.Value.MemberId != item.Id.MemberId)
                    continue;
                var renewed = claim with { Access = refreshed.Value.Tokens.Access, Refresh = refreshed.Value.Tokens.Refresh };
                await work.SavePayloadAsync(item, vault.Protect(item.Id.MemberId, "install", renewed.Serialize()), cancellationToken);
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
