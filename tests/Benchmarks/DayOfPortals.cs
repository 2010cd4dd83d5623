using System.Collections.Concurrent;
using System.Data.Common;
using System.Diagnostics;
using System.Globalization;
using Bitrix24Placements;
using Bitrix24Placements.Events;
using Bitrix24Placements.Placements;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Storage;
using Bitrix24Placements.Work;
using LoadData;
using Microsoft.Extensions.Hosting.Internal;
using Npgsql;

namespace Benchmarks;

/// <summary>
/// A day of many portals against the real store, many times faster than the clock: what one instance writes and reads while they work,
/// without HTTP and without Bitrix24's servers. Where the store does not keep up, the day takes longer, and that is told.
/// </summary>
internal sealed class DayOfPortals(ServiceProvider services, int portals, double speed)
{
    private const int EmployeesOfPortal = 20;
    private const int LaunchesOfPortal = 100;
    private const int SignalsOfPortal = 10;
    private const int EventsOfPortal = 20;
    private const int WorkingMinutes = 8 * 60;
    private const int Workers = 16;

    private readonly PortalStore _store = services.GetRequiredService<PortalStore>();
    private readonly InboxStore _inbox = services.GetRequiredService<InboxStore>();
    private readonly WorkStore _work = services.GetRequiredService<WorkStore>();
    private readonly WorkerLoads _loads = services.GetRequiredService<WorkerLoads>();
    private readonly HourStore _hours = new(services.GetRequiredService<Database>(), "worker_hours");
    private readonly ConcurrentDictionary<string, Tally> _tallies = new();
    private readonly PortalId[] _ids = [.. Enumerable.Range(0, portals).Select(static i => new PortalId(ManyPortals.MemberId(i)))];
    private Task _flush = Task.CompletedTask;
    private long _statements;

    /// <summary>What happened in the busiest minute.</summary>
    private sealed class Tally
    {
        public long InMinute;
        public long PeakOfMinute;
        public double PeakPerRealSecond;
        public double Slowest;
    }

    /// <param name="limit">Of real time, for each store.</param>
    /// <param name="postgres">A server; null: SQLite.</param>
    public static async Task RunAsync(int portals, int minutes, double speed, TimeSpan limit, string? postgres)
    {
        var folder = Directory.CreateTempSubdirectory("benchmark-");
        // Keys of tokens are where the process stands.
        Directory.SetCurrentDirectory(folder.FullName);
        var connection = postgres is null ? $"Data Source={folder.FullName}/placements.db" : await NewDatabaseAsync(postgres);
        await using (var services = ManyPortals.Open(connection, postgres is not null, "https://app.example.com", static s =>
        {
            s.AddSingleton<IHostApplicationLifetime, ApplicationLifetime>();
            s.AddSingleton<Readiness>();
            s.AddSingleton<EventHandlers>();
            s.AddSingleton<InboxStore>();
            s.AddSingleton<WorkerLoads>();
        }))
        {
            await ManyPortals.FillAsync(services, portals, null, CancellationToken.None);
            Console.WriteLine($"{(postgres is null ? "SQLite" : "PostgreSQL")}, {portals} portals");
            await new DayOfPortals(services, portals, speed).RunAsync(minutes, limit);
        }

        folder.Delete(true);
    }

    private async Task RunAsync(int minutes, TimeSpan limit)
    {
        // The whole day from midnight on; less of it from nine o'clock on.
        var first = minutes < 1440 ? 9 * 60 : 0;
        var (started, worst) = (Stopwatch.GetTimestamp(), 0.0);
        var minute = first;
        for (; minute < first + minutes && Stopwatch.GetElapsedTime(started) < limit; minute++)
        {
            var from = Stopwatch.GetTimestamp();
            await MinuteAsync(minute / 60 % 24 is >= 9 and < 17);
            var took = Stopwatch.GetElapsedTime(from).TotalSeconds;
            foreach (var tally in _tallies.Values)
            {
                tally.PeakOfMinute = Math.Max(tally.PeakOfMinute, tally.InMinute);
                tally.PeakPerRealSecond = Math.Max(tally.PeakPerRealSecond, tally.InMinute / took);
                tally.InMinute = 0;
            }

            worst = Math.Max(worst, took);
            var left = (60 / speed) - took;
            if (left > 0)
                await Task.Delay(TimeSpan.FromSeconds(left));
            if (minute % 10 == 9)
                Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{minute / 60:00}:{minute % 60:00} took {took:0.00} s"));
        }

        await _flush;
        Print(Stopwatch.GetElapsedTime(started).TotalSeconds, minute - first, worst);
    }

    private async Task MinuteAsync(bool working)
    {
        var share = working ? 1.0 : 0.05;
        var active = (int)(portals * share);
        // All loads of a portal within the minute are one row, however many there were.
        var from = Stopwatch.GetTimestamp();
        for (var i = 0; i < active; i++)
        {
            for (var load = 0; load < EmployeesOfPortal; load++)
                _loads.Record(_ids[i], TimeSpan.FromMilliseconds(1));
        }

        Done("worker loads, counted", from, active * EmployeesOfPortal, statements: 0);
        if (_flush.IsCompleted)
        {
            await _flush;
            _flush = FlushAsync(active);
        }

        IEnumerable<Func<Task>> all =
        [
            .. Enumerable.Repeat(LaunchAsync, PerMinute(LaunchesOfPortal, share)), .. Enumerable.Repeat(SignalAsync, PerMinute(SignalsOfPortal, share)),
            .. Enumerable.Repeat(EventAsync, PerMinute(EventsOfPortal, share)), .. Enumerable.Repeat(LookAsync, portals / 1440),
        ];
        await Parallel.ForEachAsync(all, new ParallelOptions { MaxDegreeOfParallelism = Workers }, async (act, _) =>
        {
            var from = Stopwatch.GetTimestamp();
            try
            {
                await act();
            }
            catch (DbException)
            {
                // What the service does then: an event waits in the spool, work is done later.
                Done("not carried: the store was locked for 5 s", from);
            }
        });
    }

    private int PerMinute(int ofPortalAndDay, double share) => (int)((double)portals * ofPortalAndDay / WorkingMinutes * share);

    private async Task FlushAsync(int rows)
    {
        var from = Stopwatch.GetTimestamp();
        var hour = DateTimeOffset.UtcNow.ToUnixTimeSeconds() / 3600;
        try
        {
            await _hours.AddAsync(
                [.. _ids.Take(rows).Select(id => new WorkerHour(id, hour, EmployeesOfPortal, 0, 1))], CancellationToken.None);
            await _hours.ForgetAsync(hour - 48, CancellationToken.None);
        }
        catch (DbException)
        {
            // What the service does then: one line, and the rest of these counts is lost.
            Done("flushes of load counts, cut short", from);
            return;
        }

        Done("rows of load counts, flushed", from, rows, statements: rows);
    }

    private async Task LaunchAsync()
    {
        var from = Stopwatch.GetTimestamp();
        await _store.KnownAllAsync(Any().MemberId, CancellationToken.None);
        Done("launches of people", from, statements: 0);
    }

    private async Task SignalAsync()
    {
        var from = Stopwatch.GetTimestamp();
        await _store.FindAsync(Any(), CancellationToken.None);
        Done("signals", from, statements: 1);
    }

    private async Task EventAsync()
    {
        var (from, id) = (Stopwatch.GetTimestamp(), Any());
        await _inbox.AddAsync(new(id, Guid.NewGuid().ToString("n"), "ONCRMDEALADD", """{"FIELDS":{"ID":"5"}}"""), CancellationToken.None);
        if (await _work.ClaimAsync(id, WorkKind.Events, CancellationToken.None) is { } item)
        {
            while (await _inbox.NextAsync(id, CancellationToken.None) is { } next)
                await _inbox.CompleteAsync(next, CancellationToken.None);
            await _work.CompleteAsync(item, CancellationToken.None);
        }

        Done("events, kept and handled", from, statements: 7);
    }

    /// <summary>The daily look: its work is claimed, the token refreshed, the look put off until tomorrow.</summary>
    private async Task LookAsync()
    {
        var (from, id) = (Stopwatch.GetTimestamp(), Any());
        await _work.RequestIfNoneAsync(id, WorkKind.Look, TimeSpan.Zero, CancellationToken.None);
        if (await _work.ClaimAsync(id, WorkKind.Look, CancellationToken.None) is { } item
            && await _store.FindAsync(id, CancellationToken.None) is { Tokens: { } tokens } portal)
        {
            if (await _store.TryLeaseRefreshAsync(id, portal.TokensVersion, "instance", TimeSpan.FromMinutes(1), CancellationToken.None))
                await _store.StoreRefreshedAsync(id, portal.TokensVersion, tokens, CancellationToken.None);
            await _work.PostponeAsync(item, TimeSpan.FromDays(1), null, CancellationToken.None);
        }

        Done("daily looks, each with a refresh", from, statements: 8);
    }

    private PortalId Any() => _ids[Random.Shared.Next(portals)];

    private void Done(string what, long from, int count = 1, int statements = 0)
    {
        var tally = _tallies.GetOrAdd(what, static _ => new());
        Interlocked.Add(ref tally.InMinute, count);
        Interlocked.Add(ref _statements, statements);
        tally.Slowest = Math.Max(tally.Slowest, Stopwatch.GetElapsedTime(from).TotalMilliseconds);
    }

    private void Print(double took, int minutes, double worst)
    {
        Console.WriteLine("| | a second in the busiest minute | carried a second | slowest, ms |");
        Console.WriteLine("|---|---|---|---|");
        foreach (var (what, tally) in _tallies.OrderBy(static t => t.Key, StringComparer.Ordinal))
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {what} | {tally.PeakOfMinute / 60.0:0.0} | {tally.PeakPerRealSecond:0} | {tally.Slowest:0} |"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{minutes} minutes in {took:0} s: {minutes * 60 / took:0.0} times the clock; the busiest minute in {worst:0.00} s: {60 / worst:0.0} times"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{_statements / took:0} statements a second, {_statements / (minutes * 60.0):0.0} a second by the day's clock; {Environment.WorkingSet / 1024 / 1024} MiB"));
    }

    private static async Task<string> NewDatabaseAsync(string server)
    {
        var name = "capacity" + Guid.NewGuid().ToString("n");
        await using var connection = new NpgsqlConnection(server);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand($"CREATE DATABASE {name} TEMPLATE template0", connection);
        await command.ExecuteNonQueryAsync();
        return new NpgsqlConnectionStringBuilder(server) { Database = name, MaxPoolSize = Workers + 4 }.ConnectionString;
    }
}
