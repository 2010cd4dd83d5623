using System.Diagnostics.Metrics;

namespace Bitrix24Placements.Portals;

internal sealed class PortalCensus
{
    public const string MeterName = "Bitrix24Placements.Portals";

    private static readonly TimeSpan CountFor = TimeSpan.FromSeconds(30);

    private readonly PortalStore _portals;
    private readonly TimeProvider _time;
    private volatile Count? _last;
    private int _counting;

    public PortalCensus(PortalStore portals, TimeProvider time, IMeterFactory meters)
    {
        (_portals, _time) = (portals, time);
        meters.Create(MeterName).CreateObservableGauge("bitrix24.portals", Measure, "{portal}", "Portals by state, as of the last count.");
    }

    /// <summary>Anew where the last one is old and the database answers in time; null where it never has.</summary>
    public async Task<PortalCounts?> CountAsync(TimeSpan timeout)
    {
        if ((_last is not { } last || _time.GetElapsedTime(last.At) >= CountFor) && Interlocked.Exchange(ref _counting, 1) == 0)
            await Task.WhenAny(RefreshAsync(), Task.Delay(timeout, _time));
        return _last?.Counts;
    }

    private async Task RefreshAsync()
    {
        try
        {
            _last = new(_time.GetTimestamp(), await _portals.CountAsync(CancellationToken.None));
        }
        catch (Exception e) when (e is DbException or TimeoutException)
        {
            _last = new(_time.GetTimestamp(), _last?.Counts);
        }
        finally
        {
            Interlocked.Exchange(ref _counting, 0);
        }
    }

    private IEnumerable<Measurement<long>> Measure()
    {
        // Metrics do not wait for the database.
        _ = CountAsync(TimeSpan.Zero);
        return _last?.Counts is not { } counts ? [] :
        [
            Measurement("installed", counts.Installed),
            Measurement("suspended", counts.Suspended),
            Measurement("uninstalled", counts.Uninstalled),
            Measurement("deadTokens", counts.DeadTokens),
            Measurement("withoutAdministrator", counts.WithoutAdministrator),
        ];
    }

    private static Measurement<long> Measurement(string state, long count) => new(count, new KeyValuePair<string, object?>("state", state));

    private sealed record Count(long At, PortalCounts? Counts);
}
