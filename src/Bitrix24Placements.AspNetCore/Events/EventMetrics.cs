using System.Diagnostics;
using System.Diagnostics.Metrics;
using Bitrix24Placements.Rest;

namespace Bitrix24Placements.Events;

internal sealed class EventMetrics(IMeterFactory meters)
{
    public const string MeterName = "Bitrix24Placements.Events";

    private readonly Counter<long> _received = meters.Create(MeterName).CreateCounter<long>(
        "bitrix24.events.received", "{event}", "Events by what became of them.");

    private readonly Histogram<double> _handled = meters.Create(MeterName).CreateHistogram(
        "bitrix24.events.handled", "s", "How long handlers of events took, by outcome.", advice: RestMetrics.Seconds);

    public void Received(string outcome) => _received.Add(1, new TagList { { "outcome", outcome } });

    public void Handled(string outcome, TimeSpan took) => _handled.Record(took.TotalSeconds, new TagList { { "outcome", outcome } });
}
