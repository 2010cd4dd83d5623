using Bitrix24Placements.Forms;
using Bitrix24Placements.Refusals;
using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Events;

/// <summary>Verifies and handles what came while the database was away.</summary>
internal sealed partial class SpooledEventHandler(
    EventReceiver receiver, InstallationsUnderWay underWay, TimeProvider time, ILogger<SpooledEventHandler> logger) : ISpoolHandler
{
    private static readonly TimeSpan KeptFor = TimeSpan.FromDays(7);

    /// <summary>So long do the tokens of a system user live.</summary>
    private static readonly TimeSpan TokensKeptFor = TimeSpan.FromHours(1);

    /// <summary>For other instances to carry over what they were told while the database was away: an update among it brings an
    /// application_token, an uninstallation takes it away.</summary>
    public static readonly TimeSpan TimeForOthers = TimeSpan.FromSeconds(15);

    /// <summary>Of each entry, since the database answers again.</summary>
    private readonly ConcurrentDictionary<(string Key, DateTimeOffset KeptAt), long> _firstLooks = new();

    public string Kind => SpooledEvents.Kind;

    public void DatabaseIsAway() => _firstLooks.Clear();

    public async Task<bool> CarryOverAsync(string key, string payload, DateTimeOffset keptAt, CancellationToken cancellationToken)
    {
        var (app, address, text) = SpooledEvents.Read(payload);
        using var form = WireForm.Parse(null, text);
        var believed = app.Length > 0 && form.MemberId() is { } memberId ? new PortalId(memberId, app) : (PortalId?)null;
        if (WireEvent.Name(form) is not { } name)
            return true;
        var isInstallation = name is AppEvent.Install or AppEvent.Update;
        var mayBecomeKnown = !isInstallation && receiver.Known(form) is null;
        Task<Rejection?> HearAsync() => receiver.ReceiveAsync(new(address, keptAt, believed), name, form, cancellationToken);
        Rejection? refused;
        try
        {
            refused = isInstallation
                ? await underWay.RunAsync(form.MemberId() ?? "", form.ApplicationToken(), HearAsync) : await HearAsync();
        }
        catch (Exception e) when (e is DbException or TimeoutException)
        {
            DatabaseIsAway();
            throw;
        }

        var keptFor = name == AppEvent.UserReady ? TokensKeptFor : KeptFor;
        var mayPass = refused?.Status == StatusCodes.Status503ServiceUnavailable || (mayBecomeKnown && IsTooEarly((key, keptAt)));
        if (refused is not null && mayPass && time.GetUtcNow() - keptAt < keptFor)
            return false;
        _firstLooks.TryRemove((key, keptAt), out _);
        if (refused is not null)
            Log.Refused(logger, form.MemberId() ?? "", refused.Code);
        return true;
    }

    private bool IsTooEarly((string Key, DateTimeOffset KeptAt) entry) =>
        time.GetElapsedTime(_firstLooks.GetOrAdd(entry, _ => time.GetTimestamp())) < TimeForOthers;

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "An event of portal {MemberId} that came while the database was away was refused: {Code}")]
        public static partial void Refused(ILogger logger, string memberId, string code);
    }
}
