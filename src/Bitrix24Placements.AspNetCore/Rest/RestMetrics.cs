using System.Diagnostics;
using System.Diagnostics.Metrics;
using Bitrix24Placements.Apps;

namespace Bitrix24Placements.Rest;

/// <summary>No portal and no user as a label: their number is not bounded.</summary>
internal sealed class RestMetrics(IMeterFactory meters, AppRegistry apps)
{
    public const string MeterName = "Bitrix24Placements.Rest";

    /// <summary>With Bitrix24's five seconds as a boundary.</summary>
    public static readonly InstrumentAdvice<double> Seconds = new()
    {
        HistogramBucketBoundaries = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    };

    private readonly Histogram<double> _rest = meters.Create(MeterName).CreateHistogram(
        "bitrix24.rest.duration", "s", "Calls of REST methods on portals, one attempt each.", advice: Seconds);

    private readonly Histogram<double> _oauth = meters.Create(MeterName).CreateHistogram(
        "bitrix24.oauth.duration", "s", "Calls to OAuth servers.", advice: Seconds);

    private readonly Counter<long> _refreshes = meters.Create(MeterName).CreateCounter<long>(
        "bitrix24.token.refreshes", "{refresh}", "Refreshes of portals' tokens by outcome.");

    public void RestCall(string method, string code, TimeSpan took) => Record(_rest, method, code, took);

    public void OAuthCall(string method, string code, TimeSpan took) => Record(_oauth, method, code, took);

    public void Refreshed(PortalId id, string outcome) => _refreshes.Add(1, new TagList { { "outcome", outcome }, apps.Label(id) });

    private static void Record(Histogram<double> calls, string method, string code, TimeSpan took) =>
        calls.Record(took.TotalSeconds, new TagList { { "method", method }, { "code", code } });
}
