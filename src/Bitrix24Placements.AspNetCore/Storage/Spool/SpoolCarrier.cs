namespace Bitrix24Placements.Storage;

/// <summary>From the spool into the database, as soon as that is there.</summary>
internal sealed partial class SpoolCarrier(
    Spool spool, IEnumerable<ISpoolHandler> handlers, Readiness readiness, ILogger<SpoolCarrier> logger)
    : RepeatingService(readiness, TimeSpan.FromSeconds(2))
{
    // Some wait for a silent portal.
    private const int SideBySide = 16;

    /// <summary>Of a line: then it is others' turn.</summary>
    private static readonly TimeSpan MaxInARow = TimeSpan.FromSeconds(5);

    /// <summary>Of who is not known, in all: then it is the turn of what has come meanwhile.</summary>
    private static readonly TimeSpan MaxOfOthers = TimeSpan.FromSeconds(10);

    private readonly Dictionary<string, ISpoolHandler> _handlers = handlers.ToDictionary(h => h.Kind);

    private readonly ConcurrentDictionary<string, bool> _told = new();

    // What nobody answers yet is asked about ever more rarely.
    private readonly ConcurrentDictionary<(string Key, string Address), (int Times, DateTimeOffset Until)> _pauses = new();

    protected override Task RunOnceAsync(CancellationToken stoppingToken) => CarryOverAllAsync(stoppingToken);

    internal async Task CarryOverAllAsync(CancellationToken cancellationToken)
    {
        var begun = Time.GetTimestamp();
        var lines = spool.List().GroupBy(LineOf).OrderByDescending(static line => line.First().IsKnown)
            .Where(line => !_pauses.TryGetValue(line.Key, out var pause) || pause.Until <= Time.GetUtcNow());
        var sideBySide = new ParallelOptions { MaxDegreeOfParallelism = SideBySide, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(lines, sideBySide, async (line, token) =>
        {
            var started = Time.GetTimestamp();
            foreach (var file in line)
            {
                if (Time.GetElapsedTime(started) > MaxInARow || (!file.IsKnown && Time.GetElapsedTime(begun) > MaxOfOthers)
                    || !await CarryOverAsync(file, token))
                    return;
            }
        });
    }

    // Whoever else names the same key waits for none of his.
    private static (string Key, string Address) LineOf(SpoolFile file) => (file.KeyShare, file.AddressShare);

    private async Task<bool> CarryOverAsync(SpoolFile file, CancellationToken cancellationToken)
    {
        if (!_handlers.TryGetValue(file.Kind, out var handler))
        {
            Tell(file.Kind, () => Log.UnknownKind(logger, file.Kind));
            return false;
        }

        await using var stream = spool.Hold(file);
        if (stream is null)
            return false;
        var bytes = await Spool.ReadAsync(stream, cancellationToken);
        // Else its process ended before it had anything to keep.
        if (bytes is not { IsEmpty: true })
        {
            if (bytes is not { } content || spool.Open(file, content) is not var (key, payload))
            {
                TellUnreadable(file);
                return true;
            }

            if (!await TryHandleAsync(handler, key, payload, file.KeptAt, cancellationToken))
            {
                var times = _pauses.GetValueOrDefault(LineOf(file)).Times;
                _pauses[LineOf(file)] = (times + 1, Time.GetUtcNow() + TimeSpan.FromSeconds(Math.Min(120, 2 << Math.Min(times, 6))));
                return false;
            }

            _pauses.TryRemove(LineOf(file), out _);
            Log.CarriedOver(logger, file.Kind, key);
        }

        await stream.DisposeAsync();
        spool.Remove(file);
        return true;
    }

    private async Task<bool> TryHandleAsync(
        ISpoolHandler handler, string key, string payload, DateTimeOffset keptAt, CancellationToken cancellationToken)
    {
        try
        {
            return await handler.CarryOverAsync(key, payload, keptAt, cancellationToken);
        }
        catch (Exception e) when (e is not (DbException or OperationCanceledException))
        {
            Tell(handler.Kind + key, () => Log.Failed(logger, e, handler.Kind, key));
            return false;
        }
    }

    private void TellUnreadable(SpoolFile file)
    {
        spool.NoteUnreadable(file);
        Tell(file.Name, () => Log.Unreadable(logger, file.Name));
    }

    private void Tell(string what, Action log)
    {
        if (_told.Count < 1_000 && _told.TryAdd(what, true))
            log();
    }

    private static partial class Log
    {
        [LoggerMessage(2, LogLevel.Error, "Entries of the kind {Kind} in the spool are not known to this version; they stay there")]
        public static partial void UnknownKind(ILogger logger, string kind);

        [LoggerMessage(3, LogLevel.Error, "{File} in the spool cannot be read or decrypted; it stays there")]
        public static partial void Unreadable(ILogger logger, string file);

        [LoggerMessage(4, LogLevel.Error, "Entry {Kind} {Key} of the spool cannot be carried over; it is tried again")]
        public static partial void Failed(ILogger logger, Exception exception, string kind, string key);

        [LoggerMessage(5, LogLevel.Information, "Entry {Kind} {Key} was carried over from the spool")]
        public static partial void CarriedOver(ILogger logger, string kind, string key);
    }
}
