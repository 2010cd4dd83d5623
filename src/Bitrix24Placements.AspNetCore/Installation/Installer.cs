using System.Threading.RateLimiting;
using Bitrix24Placements.Apps;
using Bitrix24Placements.Events;
using Bitrix24Placements.Placements;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Refusals;
using Bitrix24Placements.Rest;
using Bitrix24Placements.Storage;
using Bitrix24Placements.Work;

namespace Bitrix24Placements.Installation;

internal enum InstallVerdict
{
    Stored,

    NotAdministrator,

    Rejected,

    /// <summary>Its refresh token may still be good.</summary>
    Expired,

    NoAnswer,

    NotConfigured,

    /// <summary>Of an app that nobody has added yet.</summary>
    UnknownApp,
}

/// <param name="Info">Of an unknown app it only says who may have a place to wait.</param>
/// <param name="ClientId">As the OAuth server told it.</param>
internal readonly record struct InstallResult(
    InstallVerdict Verdict, Rejection? Rejection = null, TokenInfo? Info = null, string? ClientId = null);

/// <summary>Believes an installation where the OAuth server names the portal and this app, and the portal calls the user an
/// administrator.</summary>
internal sealed partial class Installer(
    Confirmations confirmations, HostRules hosts, Administrators administrators, PortalStore portals, KeptInstallations kept,
    WorkSignal signal, TokenVault vault, SpooledEvents spooled, InstallationMetrics metrics, AppRegistry apps, TimeProvider time,
    ILogger<Installer> logger)
    : IDisposable
{
    public static readonly TimeSpan KeptFor = TimeSpan.FromDays(7);

    private static readonly TimeSpan LookIn = TimeSpan.FromSeconds(2);

    /// <summary>The log is not filled by whoever fills the room: once, and again after a second without.</summary>
    private static readonly TimeSpan QuietBetween = TimeSpan.FromSeconds(1);

    private readonly TokenBucketRateLimiter _told = new(new()
    {
        TokenLimit = 60,
        TokensPerPeriod = 1,
        ReplenishmentPeriod = TimeSpan.FromSeconds(1),
        QueueLimit = 0,
    });

    private long _lackedRoomAt;

    /// <param name="reconcileIn">When the background does it, unless the caller has.</param>
    public async Task<InstallResult> InstallAsync(InstallClaim claim, TimeSpan reconcileIn, CancellationToken cancellationToken)
    {
        var result = await JudgeAsync(claim, cancellationToken);
        metrics.Installed(result.Verdict.ToString());
        if (result is { Verdict: InstallVerdict.Stored, Info: { } info })
            await StoreAsync(claim, info, reconcileIn, cancellationToken);
        else if (result is { Verdict: InstallVerdict.UnknownApp, ClientId: { } clientId } && MayTell())
            Log.UnknownApp(logger, new(claim.MemberId), RestErrors.Clean(clientId));
        return result;
    }

    public async Task StoreAsync(InstallClaim claim, TokenInfo administrator, TimeSpan reconcileIn, CancellationToken cancellationToken)
    {
        var before = await portals.FindAsync(administrator.Id, cancellationToken);
        var isStored = await portals.InstallAsync(new()
        {
            Id = administrator.Id,
            ClientEndpoint = administrator.ClientEndpoint,
            OAuthServer = administrator.Server,
            UserId = administrator.UserId,
            Tokens = new(claim.Access, claim.Refresh, administrator.ExpiresAt),
            ApplicationToken = claim.ApplicationToken,
            ReconcileIn = reconcileIn,
            ToldAt = claim.ToldAt,
            IsUpdate = claim.IsUpdate,
            UninstalledAt = before is null ? null : spooled.LastNotice(before, claim.ToldAt),
        }, cancellationToken);
        if (!isStored)
            return;
        Log.Installed(logger, administrator.Id, administrator.ClientEndpoint.Host);
        if (reconcileIn <= TimeSpan.Zero)
            signal.Wake();
    }

    private async Task<InstallResult> JudgeAsync(InstallClaim claim, CancellationToken cancellationToken)
    {
        if (!apps.HasAny)
            return new(InstallVerdict.NotConfigured, Rejection.NotConfigured);
        var confirmation = await confirmations.AskAsync(claim.Who, claim.Access, claim.ServerEndpoint);
        if (confirmation.Verdict is TokenVerdict.NoAnswer or TokenVerdict.NotAsked)
            return new(InstallVerdict.NoAnswer, Rejection.Unavailable);
        if (confirmation is { Verdict: TokenVerdict.UnknownApp, Stranger: { } stranger } && stranger.Id.MemberId == claim.MemberId)
            return hosts.IsAllowedPortal(stranger.ClientEndpoint.Host)
                ? new(InstallVerdict.UnknownApp, Rejection.NotConfigured, stranger, confirmation.ClientId)
                : new(InstallVerdict.Rejected, Rejection.NotAllowed);
        if (confirmation.Verdict == TokenVerdict.Expired)
            return new(InstallVerdict.Expired, Rejection.NotVerified.Because("the token has expired"));
        if (confirmation.Info is not { } info || info.Id.MemberId != claim.MemberId)
            return new(InstallVerdict.Rejected, Rejection.NotVerified.Because("the OAuth server does not know the token"));
        if (!hosts.IsAllowedPortal(info.ClientEndpoint.Host))
            return new(InstallVerdict.Rejected, Rejection.NotAllowed, info);

        var isAdministrator = await administrators.AskAsync(new(info, claim.Access), cancellationToken);
        if (isAdministrator.Ok)
            return new(isAdministrator.Value ? InstallVerdict.Stored : InstallVerdict.NotAdministrator, Info: info);
        return isAdministrator.Error is { Kind: RestErrorKind.Refused, Code: var code }
            ? new(InstallVerdict.Rejected, Rejection.Refused(code, "The portal refused to say who is installing the app."), info)
            : new(InstallVerdict.NoAnswer, Rejection.Unavailable, info, confirmation.ClientId);
    }

    /// <summary>One at a time: what strangers tell must not hold up others' writes. False: no room, or no turn in time.</summary>
    public Task<bool> KeepAsync(InstallClaim claim, Turns turns) => turns.RunAsync(() => KeepAsync(claim), otherwise: false);

    private async Task<bool> KeepAsync(InstallClaim claim)
    {
        var id = new PortalId(claim.MemberId);
        // The same again is one; an update may bring another application_token with the same tokens.
        var told = Encoding.UTF8.GetBytes($"{claim.Access.Reveal()}\n{claim.ApplicationToken.Reveal()}\n{claim.IsUpdate}");
        var kind = WorkKind.Install + Convert.ToHexStringLower(SHA256.HashData(told))[..16];
        var isKept = await kept.KeepAsync(id, kind, LookIn, claim.Seal(vault), claim.Address, CancellationToken.None);
        if (isKept)
        {
            if (MayTell())
                Log.Kept(logger, id);
        }
        else if (Interlocked.Exchange(ref _lackedRoomAt, time.GetTimestamp()) is var last
            && (last == 0 || time.GetElapsedTime(last) > QuietBetween))
            Log.NoRoom(logger, id);
        return isKept;
    }

    /// <summary>Anybody can have an installation kept.</summary>
    private bool MayTell() => _told.AttemptAcquire().IsAcquired;

    public void Dispose() => _told.Dispose();

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "Portal {MemberId} at {Host} has installed or updated the app")]
        public static partial void Installed(ILogger logger, PortalId memberId, string host);

        [LoggerMessage(2, LogLevel.Warning, "An installation of portal {MemberId} is kept until it can be confirmed")]
        public static partial void Kept(ILogger logger, PortalId memberId);

        [LoggerMessage(3, LogLevel.Error, "An installation of portal {MemberId} was refused: too many are waiting already")]
        public static partial void NoRoom(ILogger logger, PortalId memberId);

        [LoggerMessage(4, LogLevel.Warning,
            "Portal {MemberId} has installed the app {ClientId}, which is not known here; its installation is kept until the app is added")]
        public static partial void UnknownApp(ILogger logger, PortalId memberId, string clientId);
    }
}
