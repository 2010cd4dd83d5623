using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Bitrix24Placements.Placements;

internal sealed class PlacementMetrics(IMeterFactory meters)
{
    public const string MeterName = "Bitrix24Placements.Placements";

    private readonly Histogram<double> _duration = meters.Create(MeterName).CreateHistogram(
        "bitrix24.placement.duration", "s", "Launches by placement and outcome; Bitrix24 counts those of the worker over five seconds.",
        advice: new InstrumentAdvice<double>
        {
            HistogramBucketBoundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
        });

    public void Served(string placement, string outcome, TimeSpan took) =>
        _duration.Record(took.TotalSeconds, new TagList { { "placement", placement }, { "outcome", outcome } });
}
