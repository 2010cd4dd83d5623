using System.Security.Cryptography;
using System.Text;
using Bitrix24Placements.Apps;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Refusals;
using Bitrix24Placements.Rest;
using Bitrix24Placements.Storage;
using Bitrix24Placements.Work;

namespace Bitrix24Placements.Installation;

internal enum InstallVerdict
{
    /// <summary>Stored; a reconciliation is waiting.</summary>
    Stored,

    /// <summary>The token is the app's and the portal's, but its user is no administrator: nothing was stored.</summary>
    NotAdministrator,

    /// <summary>The OAuth server says no: see the rejection.</summary>
    Rejected,

    /// <summary>Bitrix24 did not answer.</summary>
    NoAnswer,

    /// <summary>The app's keys are not configured.</summary>
    NotConfigured,
}

internal readonly record struct InstallResult(InstallVerdict Verdict, TokenInfo? Info = null, Rejection? Rejection = null);

/// <summary>Believes an installation, or not: the OAuth server has to name the portal and this app, and the portal has to name the user an administrator.</summary>
internal sealed partial class Installer(
    OAuthClient oauth, HostRules hosts, AdministratorVisits administrators, PortalStore portals, KeptInstallations kept, WorkSignal signal, TokenVault vault,
    InstallationMetrics metrics, AppRegistry apps, ILogger<Installer> logger)
{
    public static readonly TimeSpan PendingLife = TimeSpan.FromDays(7);

    private static readonly TimeSpan Budget = TimeSpan.FromSeconds(3);

    /// <param name="reconcileIn">When the background reconciles, where the caller does not come to do it.</param>
    public async Task<InstallResult> InstallAsync(InstallClaim claim, TimeSpan reconcileIn, CancellationToken cancellationToken)
    {
        var result = await JudgeAsync(claim, cancellationToken);
        metrics.Installed(result.Verdict.ToString());
        if (result.Verdict != InstallVerdict.Stored)
            return result;
        var info = result.Info!;
        await portals.InstallAsync(new()
        {
            Id = info.Id,
            ClientEndpoint = info.ClientEndpoint,
            OAuthServer = info.Server,
            UserId = info.UserId,
            Tokens = new(claim.Access, claim.Refresh, info.ExpiresAt),
            ApplicationToken = claim.ApplicationToken,
            ReconcileIn = reconcileIn,
        }, cancellationToken);
        Log.Installed(logger, info.Id, info.ClientEndpoint.Host);
        if (reconcileIn <= TimeSpan.Zero)
            signal.Wake();
        return result;
    }

    private async Task<InstallResult> JudgeAsync(InstallClaim claim, CancellationToken cancellationToken)
    {
        if (!apps.HasAny)
            return new(InstallVerdict.NotConfigured, null, Rejection.NotConfigured);
        var confirmation = await oauth.ConfirmAsync(claim.Access, await ServerAsync(claim, cancellationToken), Budget, cancellationToken);
        if (confirmation.Verdict == TokenVerdict.NoAnswer)
            return new(InstallVerdict.NoAnswer, null, Rejection.Unavailable);
        if (confirmation.Info is not { } info || info.Id.MemberId != claim.MemberId)
            return new(InstallVerdict.Rejected, null, Rejection.NotVerified);
        if (!hosts.IsAllowedPortal(info.ClientEndpoint.Host))
            return new(InstallVerdict.Rejected, info, Rejection.NotAllowed);

        var isAdministrator = await administrators.IsAdministratorAsync(info, claim.Access, cancellationToken);
        if (!isAdministrator.Ok)
        {
            return isAdministrator.Error.Kind == RestErrorKind.Refused
                ? new(InstallVerdict.Rejected, info, Rejection.Refused(isAdministrator.Error.Code, "The portal refused to say who is installing the app."))
                : new(InstallVerdict.NoAnswer, info, Rejection.Unavailable);
        }

        return new(isAdministrator.Value ? InstallVerdict.Stored : InstallVerdict.NotAdministrator, info);
    }

    private async Task<Uri?> ServerAsync(InstallClaim claim, CancellationToken cancellationToken) =>
        hosts.ConfiguredOAuthServer(claim.ServerEndpoint)
        ?? (await portals.KnownAsync(new(claim.MemberId), cancellationToken) is { } known ? hosts.ConfiguredOAuthServer(known.OAuthServer.AbsoluteUri) : null);

    /// <summary>Keeps an installation that cannot be confirmed now: events are sent once. False where there is no more room.</summary>
    public async Task<bool> KeepAsync(InstallClaim claim, CancellationToken cancellationToken)
    {
        var kind = WorkKind.Install + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(claim.Access.Reveal())))[..16];
        var payload = vault.Protect(claim.MemberId, "install", claim.Serialize());
        var isKept = await kept.KeepAsync(new(claim.MemberId), kind, TimeSpan.FromSeconds(2), payload, address: null, cancellationToken);
        if (isKept)
            Log.Kept(logger, new(claim.MemberId));
        else
            Log.NoRoom(logger, new(claim.MemberId), KeptInstallations.Max);
        return isKept;
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "Portal {MemberId} at {Host} has installed or updated the app")]
        public static partial void Installed(ILogger logger, PortalId memberId, string host);

        [LoggerMessage(2, LogLevel.Warning, "An installation of portal {MemberId} is kept until it can be confirmed")]
        public static partial void Kept(ILogger logger, PortalId memberId);

        [LoggerMessage(3, LogLevel.Error, "An installation of portal {MemberId} was refused: {Most} are waiting already")]
        public static partial void NoRoom(ILogger logger, PortalId memberId, int most);
    }
}
