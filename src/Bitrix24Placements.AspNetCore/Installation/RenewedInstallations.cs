using Bitrix24Placements.Storage;
using Bitrix24Placements.Work;

namespace Bitrix24Placements.Installation;

/// <summary>Brings a kept installation's refreshed tokens into the database however long it takes: those before are void. Until then they
/// lie in the spool, for the next process as well.</summary>
internal sealed partial class RenewedInstallations(
    KeptInstallations kept, Spool spool, TimeProvider time, ILogger<RenewedInstallations> logger) : ISpoolHandler
{
    private static readonly TimeSpan TryAgainAfter = TimeSpan.FromSeconds(1);

    public string Kind => "kept";

    /// <summary>For the payload before and the one after. Null: there is no room for an answer, and no refresh may begin.</summary>
    public Task<SpoolPlace?> TakePlaceAsync(WorkItem item, CancellationToken cancellationToken) =>
        spool.TakePlaceAsync(Kind, item.Id.ToString(), ((item.Payload?.Length ?? 0) * 2) + 1024, cancellationToken);

    /// <param name="cancellationToken">Leaves it in the spool where the database does not take it.</param>
    public async Task KeepAsync(RenewedInstallation renewed, SpoolPlace place, CancellationToken cancellationToken)
    {
        var id = new PortalId(renewed.MemberId, renewed.App);
        try
        {
            await place.WriteAsync(
                JsonSerializer.Serialize(renewed, InstallationJson.Default.RenewedInstallation), CancellationToken.None);
        }
        catch (Exception e)
        {
            // Whatever it was: the database may still take them.
            Log.NotSpooled(logger, id, e.Message);
        }

        for (var attempt = 0; !await TrySaveAsync(renewed, id, attempt); attempt++)
        {
            if (cancellationToken.IsCancellationRequested)
            {
                place.Leave();
                return;
            }

            await Task.WhenAny(Task.Delay(TryAgainAfter, time, cancellationToken));
        }
    }

    public async Task<bool> CarryOverAsync(string key, string payload, DateTimeOffset keptAt, CancellationToken cancellationToken)
    {
        if (JsonSerializer.Deserialize(payload, InstallationJson.Default.RenewedInstallation) is { } renewed)
            await kept.SaveAsync(renewed, cancellationToken);
        return true;
    }

    private async Task<bool> TrySaveAsync(RenewedInstallation renewed, PortalId id, int attempt)
    {
        try
        {
            await kept.SaveAsync(renewed, CancellationToken.None);
            return true;
        }
        catch (Exception e)
        {
            // Whatever it is: without these tokens the installation is lost.
            if (attempt == 0)
                Log.NotStored(logger, id, e.Message);
            return false;
        }
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
