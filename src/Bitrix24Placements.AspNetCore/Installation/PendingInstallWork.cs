using Bitrix24Placements.Apps;
using Bitrix24Placements.Rest;
using Bitrix24Placements.Storage;
using Bitrix24Placements.Work;

namespace Bitrix24Placements.Installation;

/// <summary>Finishes an installation that could not be confirmed when it was told: the keys are there now, or the OAuth server answers again.</summary>
internal sealed partial class PendingInstallWork(
    Installer installer, OAuthClient oauth, HostRules hosts, WorkStore work, TokenVault vault, AppRegistry apps, TimeProvider time, ILogger<PendingInstallWork> logger) : IWork
{
    public string Kind => WorkKind.Install;

    public async Task<WorkResult> RunAsync(WorkItem item, CancellationToken cancellationToken)
    {
        if (time.GetUtcNow() - item.CreatedAt > Installer.PendingLife || item.Payload is null || vault.Unprotect(item.Id.MemberId, "install", item.Payload) is not { } opened)
        {
            Log.Dropped(logger, item.Id, "too old, or its keys are lost");
            return WorkResult.Done;
        }

        if (!apps.HasAny)
            return WorkResult.Again(TimeSpan.FromMinutes(1));
        var claim = InstallClaim.Deserialize(item.Id.MemberId, opened);
        var result = await installer.InstallAsync(claim, TimeSpan.Zero, cancellationToken);
        if (result.Verdict == InstallVerdict.Stored)
            return WorkResult.Done;
        if (result.Verdict == InstallVerdict.NoAnswer)
            return WorkResult.Again(Pauses.AfterSilence(item.Attempt));
        // Waiting may have outlived the access token; the refresh token lives for months.
        if (result is { Verdict: InstallVerdict.Rejected, Info: null } && await RenewAsync(item, claim, cancellationToken) is { } pause)
            return WorkResult.Again(pause);
        Log.Dropped(logger, item.Id, result.Rejection?.Code ?? result.Verdict.ToString());
        return WorkResult.Done;
    }

    /// <summary>A pause before the next attempt, or null where the refresh token is no use either.</summary>
    private async Task<TimeSpan?> RenewAsync(WorkItem item, InstallClaim claim, CancellationToken cancellationToken)
    {
        var servers = hosts.ConfiguredOAuthServer(claim.ServerEndpoint) is { } named ? [named] : hosts.OAuthServers;
        foreach (var server in servers)
        {
            var confirmation = await oauth.ConfirmAsync(claim.Access, server, TimeSpan.FromSeconds(3), cancellationToken);
            if (confirmation.Verdict == TokenVerdict.NoAnswer)
                return Pauses.AfterSilence(item.Attempt);
            if (confirmation.Verdict != TokenVerdict.Expired)
                continue;
            var refreshed = await oauth.RefreshAsync(item.Id.App, claim.Refresh, server, TimeSpan.FromSeconds(20), cancellationToken);
            if (!refreshed.Ok)
                return refreshed.Error.Kind == RestErrorKind.Refused ? null : Pauses.AfterSilence(item.Attempt);
            if (refreshed.Value.MemberId != item.Id.MemberId)
                return null;
            var renewed = claim with { Access = refreshed.Value.Access, Refresh = refreshed.Value.Refresh };
            await work.SavePayloadAsync(item, vault.Protect(item.Id.MemberId, "install", renewed.Serialize()), cancellationToken);
            return TimeSpan.Zero;
        }

        return null;
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "A kept installation of portal {MemberId} was dropped: {Reason}")]
        public static partial void Dropped(ILogger logger, PortalId memberId, string reason);
    }
}
