using Bitrix24Placements.Apps;
using Bitrix24Placements.Forms;
using Bitrix24Placements.Placements;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Refusals;
using Bitrix24Placements.Rest;

namespace Bitrix24Placements.Installation;

/// <summary>ONAPPUSERREADY: the portal has made an employee for the app, whose tokens become its reserve where no administrator's
/// are.</summary>
/// <remarks>https://apidocs.bitrix24.com/api-reference/common/events/on-app-user-ready.html</remarks>
internal sealed partial class SystemUsers(
    Confirmations confirmations, Administrators administrators, PortalStore portals, AppRegistry apps, ILogger<SystemUsers> logger)
{
    /// <param name="claim">Of the employee who installed the app.</param>
    public async Task<Rejection?> ReceiveAsync(InstallClaim claim, WireForm form, CancellationToken cancellationToken)
    {
        var errors = new Dictionary<string, string>();
        var access = InstallClaim.Token(form, "data[access_token]", errors);
        var refresh = InstallClaim.Token(form, "data[refresh_token]", errors);
        if (errors.Count > 0)
            return Rejection.Malformed(errors);

        var teller = await ConfirmAsync(claim.MemberId, claim.Access, claim.ServerEndpoint, cancellationToken);
        if (!teller.Ok)
            return teller.Rejection;
        if (await portals.KnownAsync(teller.Value.Id, cancellationToken) is not { State: PortalState.Installed } known)
            return Rejection.NotInstalled;
        if (!known.AcceptsApplicationToken(claim.ApplicationToken))
            return Rejection.NotVerified;
        var isAdministrator = await administrators.AskUnlessOrdinaryAsync(teller.Value, claim.Access, cancellationToken);
        if (!isAdministrator.Ok)
            return Rejection.Unavailable;
        if (!isAdministrator.Value)
            return Rejection.NotVerified;

        var user = await ConfirmAsync(claim.MemberId, access, form.Text("data[server_endpoint]"u8), cancellationToken);
        if (!user.Ok)
            return user.Rejection;
        if (user.Value.Id != known.Id)
            return Rejection.NotVerified;
        if (await portals.SaveReserveAsync(known.Id,
            new(new(access, refresh, user.Value.ExpiresAt), user.Value.UserId, IsAdministrator: false), cancellationToken))
            Log.Kept(logger, known.Id);
        return null;
    }

    private async Task<Checked<TokenInfo>> ConfirmAsync(
        string memberId, Secret token, string? server, CancellationToken cancellationToken) =>
        apps.HasAny
            ? await confirmations.UserAsync(memberId, token, server, cancellationToken)
            : Rejection.NotConfigured;

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "Portal {MemberId} has made an employee for the app; his tokens are its reserve")]
        public static partial void Kept(ILogger logger, PortalId memberId);
    }
}
