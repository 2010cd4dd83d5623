using Bitrix24Placements.Portals;
using Bitrix24Placements.Rest;
using Bitrix24Placements.Work;

namespace Bitrix24Placements.Installation;

/// <summary>Asks the OAuth server where a portal is now.</summary>
internal sealed partial class AddressWork(PortalStore portals, TokenRefresher tokens, OAuthClient oauth, HostRules hosts, ILogger<AddressWork> logger) : IWork
{
    private const int MostAttempts = 5;

    public string Kind => WorkKind.Address;

    public async Task<WorkResult> RunAsync(WorkItem item, CancellationToken cancellationToken)
    {
        var usable = await tokens.UsableAsync(item.Id, cancellationToken);
        if (!usable.Ok)
            return usable.Error.Kind == RestErrorKind.Unavailable && item.Attempt < MostAttempts ? WorkResult.Again(Pauses.AfterSilence(item.Attempt)) : WorkResult.Done;
        var portal = usable.Value;
        var confirmation = await oauth.ConfirmAsync(portal.Tokens!.Access, hosts.ConfiguredOAuthServer(portal.OAuthServer.AbsoluteUri), TimeSpan.FromSeconds(5), cancellationToken);
        if (confirmation.Verdict == TokenVerdict.NoAnswer && item.Attempt < MostAttempts)
            return WorkResult.Again(Pauses.AfterSilence(item.Attempt));
        if (confirmation.Verdict == TokenVerdict.Expired && item.Attempt == 0)
            return await tokens.RefreshAsync(portal, afresh: false, cancellationToken) is { Ok: true } ? WorkResult.Again(TimeSpan.Zero) : WorkResult.Done;
        if (confirmation.Info is { } info && info.Id == portal.Id && info.ClientEndpoint != portal.ClientEndpoint && hosts.IsAllowedPortal(info.ClientEndpoint.Host))
        {
            await portals.MoveAsync(portal.Id, info.ClientEndpoint, cancellationToken);
            Log.Moved(logger, portal.Id);
        }

        return WorkResult.Done;
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "Portal {MemberId} has moved; its new address is kept")]
        public static partial void Moved(ILogger logger, PortalId memberId);
    }
}
