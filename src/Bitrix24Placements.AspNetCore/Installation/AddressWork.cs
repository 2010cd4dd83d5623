using Bitrix24Placements.Portals;
using Bitrix24Placements.Rest;
using Bitrix24Placements.Work;

namespace Bitrix24Placements.Installation;

/// <summary>Asks the OAuth server where a portal is now.</summary>
internal sealed partial class AddressWork(PortalStore portals, OAuthClient oauth, HostRules hosts, ILogger<AddressWork> logger) : IWork
{
    private const int MaxAttempts = 5;

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    public string Kind => WorkKind.Address;

    /// <summary>Refreshes nothing: anybody may have caused it.</summary>
    public async Task<WorkResult> RunAsync(WorkItem item, CancellationToken cancellationToken)
    {
        if (await portals.FindAsync(item.Id, cancellationToken) is not { State: PortalState.Installed, Tokens: { } tokens } portal)
            return WorkResult.Done;
        var confirmation = await oauth.ConfirmAsync(tokens.Access, hosts.ConfiguredOAuthServer(portal.OAuthServer.AbsoluteUri), Timeout,
            cancellationToken);
        if (confirmation.Verdict == TokenVerdict.NoAnswer && item.Attempt < MaxAttempts)
            return WorkResult.Again(Pauses.AfterSilence(item.Attempt));
        if (confirmation.Info is { } info && info.Id == portal.Id && info.ClientEndpoint != portal.ClientEndpoint
            && hosts.IsAllowedPortal(info.ClientEndpoint.Host))
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
