namespace Bitrix24Placements.Storage;

/// <summary>Instances share it: leases and due times go by it. Instants that leave the database are the process's.</summary>
internal sealed class DatabaseClock(Database database, TimeProvider time)
{
    private static readonly TimeSpan Negligible = TimeSpan.FromSeconds(2);

    private long _ahead;

    /// <summary>How far the process's clock is ahead of the database's.</summary>
    public TimeSpan Ahead => TimeSpan.FromTicks(Volatile.Read(ref _ahead));

    /// <returns>The database's Unix milliseconds.</returns>
    public async Task<long> MeasureAsync(CancellationToken cancellationToken)
    {
        var now = await database.ReadAsync(connection => connection.NumberAsync($"SELECT {database.Now}"), cancellationToken);
        var ahead = time.GetUtcNow() - DateTimeOffset.FromUnixTimeMilliseconds(now);
        Volatile.Write(ref _ahead, ahead.Duration() < Negligible ? 0 : ahead.Ticks);
        return now;
    }

    /// <summary>The database's time, as far as it is known here.</summary>
    public long Now => ToDatabase(time.GetUtcNow());

    public DateTimeOffset FromDatabase(long milliseconds) =>
        milliseconds == 0 ? DateTimeOffset.UnixEpoch : DateTimeOffset.FromUnixTimeMilliseconds(milliseconds) + Ahead;

    public long ToDatabase(DateTimeOffset instant) => instant == DateTimeOffset.UnixEpoch ? 0 : (instant - Ahead).ToUnixTimeMilliseconds();
}
