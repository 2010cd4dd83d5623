using System.Diagnostics;
using System.Diagnostics.Metrics;
using Bitrix24Placements.Apps;

namespace Bitrix24Placements.Placements;

internal sealed class PlacementMetrics(IMeterFactory meters, AppRegistry apps)
{
    public const string MeterName = "Bitrix24Placements.Placements";

    private readonly Histogram<double> _duration = meters.Create(MeterName).CreateHistogram(
        "bitrix24.placement.duration", "s", "Launches by placement and outcome; Bitrix24 counts those of the worker over five seconds.",
        advice: new InstrumentAdvice<double>
        {
            HistogramBucketBoundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
        });

    public void Served(string placement, string outcome, TimeSpan took, PortalId? portal = null)
    {
        var tags = new TagList { { "placement", placement }, { "outcome", outcome } };
        if (portal is { } id)
            tags.Add(apps.Label(id));
        _duration.Record(took.TotalSeconds, tags);
    }
}
