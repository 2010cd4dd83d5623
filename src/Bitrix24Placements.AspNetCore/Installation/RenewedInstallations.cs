using Bitrix24Placements.Storage;
using Bitrix24Placements.Work;

namespace Bitrix24Placements.Installation;

/// <summary>A kept installation's refreshed tokens: those before are void. What the database does not take lies in the spool, for the next
/// process as well.</summary>
internal sealed partial class RenewedInstallations(
    KeptInstallations kept, Spool spool, ILogger<RenewedInstallations> logger) : ISpoolHandler
{
    public string Kind => "kept";

    /// <summary>For the payload before and the one after. Null: there is no room for an answer, and no refresh may begin.</summary>
    public Task<SpoolPlace?> TakePlaceAsync(WorkItem item, CancellationToken cancellationToken) =>
        spool.TakePlaceAsync(Kind, item.Id.ToString(), ((item.Payload?.Length ?? 0) * 2) + 1024, cancellationToken);

    public async Task KeepAsync(RenewedInstallation renewed, SpoolPlace place)
    {
        var id = new PortalId(renewed.MemberId, renewed.App);
        try
        {
            await place.WriteAsync(JsonSerializer.Serialize(renewed, InstallationJson.Default.RenewedInstallation));
        }
        catch (IOException e)
        {
            // The database may still take them.
            Log.NotSpooled(logger, id, e.Message);
        }

        try
        {
            await kept.SaveAsync(renewed, CancellationToken.None);
        }
        catch (Exception e) when (e is DbException or TimeoutException)
        {
            Log.NotStored(logger, id, e.Message);
            place.Leave();
        }
    }

    public async Task<bool> CarryOverAsync(string key, string payload, DateTimeOffset keptAt, CancellationToken cancellationToken)
    {
        if (JsonSerializer.Deserialize(payload, InstallationJson.Default.RenewedInstallation) is { } renewed)
            await kept.SaveAsync(renewed, cancellationToken);
        return true;
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error,
            "Refreshed tokens of a kept installation of portal {MemberId} cannot be stored yet, and are kept in the spool: {Reason}")]
        public static partial void NotStored(ILogger logger, PortalId memberId, string reason);

        [LoggerMessage(2, LogLevel.Error,
            "Refreshed tokens of a kept installation of portal {MemberId} cannot be written to the spool: {Reason}")]
        public static partial void NotSpooled(ILogger logger, PortalId memberId, string reason);
    }
}
