using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Bitrix24Placements.Rest;

/// <summary>No portal and no user as a label: their number is not bounded.</summary>
internal sealed class RestMetrics
{
    public const string MeterName = "Bitrix24Placements.Rest";

    private readonly Histogram<double> _rest;
    private readonly Histogram<double> _oauth;
    private readonly Counter<long> _refreshes;

    public RestMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(MeterName);
        _rest = meter.CreateHistogram<double>("bitrix24.rest.duration", "s", "Calls of REST methods on portals, one attempt each.");
        _oauth = meter.CreateHistogram<double>("bitrix24.oauth.duration", "s", "Calls to OAuth servers.");
        _refreshes = meter.CreateCounter<long>("bitrix24.token.refreshes", "{refresh}", "Refreshes of portals' tokens by outcome.");
    }

    public void RestCall(string method, string code, TimeSpan took) =>
        _rest.Record(took.TotalSeconds, new TagList { { "method", method }, { "code", code } });

    public void OAuthCall(string method, string code, TimeSpan took) =>
        _oauth.Record(took.TotalSeconds, new TagList { { "method", method }, { "code", code } });

    public void Refreshed(string outcome) => _refreshes.Add(1, new TagList { { "outcome", outcome } });
}
