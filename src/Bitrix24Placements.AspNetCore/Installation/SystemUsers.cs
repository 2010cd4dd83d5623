using Bitrix24Placements.Apps;
using Bitrix24Placements.Forms;
using Bitrix24Placements.Placements;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Refusals;
using Bitrix24Placements.Rest;
using Bitrix24Placements.Storage;
using Bitrix24Placements.Work;

namespace Bitrix24Placements.Installation;

/// <summary>ONAPPUSERREADY: the portal has made an employee for the app; his tokens are its reserve where it has no
/// administrator's.</summary>
/// <remarks>https://apidocs.bitrix24.com/api-reference/common/events/on-app-user-ready.html</remarks>
internal sealed partial class SystemUsers(
    Confirmations confirmations, Administrators administrators, PortalStore portals, KeptInstallations kept, AppRegistry apps,
    HostRules hosts, TokenVault vault, ILogger<SystemUsers> logger)
{
    /// <param name="claim">Of the employee who installed the app.</param>
    public async Task<Rejection?> ReceiveAsync(InstallClaim claim, WireForm form, CancellationToken cancellationToken)
    {
        var errors = new Dictionary<string, string>();
        var access = InstallClaim.Token(form, "data[access_token]", errors);
        var refresh = InstallClaim.Token(form, "data[refresh_token]", errors);
        if (errors.Count > 0)
            return Rejection.Malformed(errors);

        if (Matching(await portals.ReadAllAsync(claim.MemberId, cancellationToken), claim) is not { } known)
            // Sent once, as is the installation that is kept.
            return await IsOfKeptAsync(claim, cancellationToken) ? Rejection.Unavailable : Rejection.NotVerified;
        var teller = await ConfirmAsync(known, claim.Who, claim.Access, claim.ServerEndpoint);
        if (!teller.Ok)
            return teller.Rejection;
        if (!hosts.IsAllowedPortal(teller.Value.ClientEndpoint.Host))
            return Rejection.NotAllowed;
        var isAdministrator = await administrators.AskUnlessOrdinaryAsync(new(teller.Value, claim.Access), cancellationToken);
        if (!isAdministrator.Value)
            return isAdministrator.Ok ? Rejection.NotVerified : Rejection.Unavailable;

        var user = await ConfirmAsync(known, claim.Who, access, WireValues.ServerEndpoint(form.Bytes("data[server_endpoint]"u8)));
        if (!user.Ok)
            return user.Rejection;
        if (await portals.SaveReserveAsync(known.Id,
            new(new(access, refresh, user.Value.ExpiresAt), user.Value.UserId, IsAdministrator: false), cancellationToken))
            Log.Kept(logger, known.Id);
        return null;
    }

    /// <summary>By its application_token: nobody is asked for whoever does not know it.</summary>
    public async Task<bool> IsAwaitedAsync(InstallClaim claim, CancellationToken cancellationToken) =>
        Matching(await portals.KnownAllAsync(claim.MemberId, cancellationToken), claim) is not null
        || await IsOfKeptAsync(claim, cancellationToken);

    private static KnownPortal? Matching(IReadOnlyList<KnownPortal> installations, InstallClaim claim) => installations.FirstOrDefault(
        p => p.State == PortalState.Installed && p.AcceptsApplicationToken(claim.ApplicationToken));

    // Others know neither.
    private async Task<bool> IsOfKeptAsync(InstallClaim claim, CancellationToken cancellationToken) => !claim.ApplicationToken.IsEmpty
        && (await kept.PayloadsAsync(claim.MemberId, cancellationToken)).Any(payload =>
            InstallClaim.Open(vault, claim.MemberId, payload, claim.ToldAt) is { } installation
            && CryptographicOperations.FixedTimeEquals(
                Encoding.UTF8.GetBytes(installation.ApplicationToken.Reveal()), Encoding.UTF8.GetBytes(claim.ApplicationToken.Reveal())));

    private async Task<Checked<TokenInfo>> ConfirmAsync(KnownPortal known, Asker who, Secret token, string? server)
    {
        if (!apps.HasAny)
            return Rejection.NotConfigured;
        var user = await confirmations.UserAsync(who, token, server);
        return user.Ok && user.Value.Id != known.Id ? Rejection.NotVerified : user;
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "Portal {MemberId} has made an employee for the app; his tokens are its reserve")]
        public static partial void Kept(ILogger logger, PortalId memberId);
    }
}
