using System.Diagnostics;
using System.Diagnostics.Metrics;
using Bitrix24Placements.Apps;

namespace Bitrix24Placements.Rest;

/// <summary>No portal and no user as a label: their number is not bounded.</summary>
internal sealed class RestMetrics
{
    public const string MeterName = "Bitrix24Placements.Rest";

    private readonly AppRegistry _apps;
    private readonly Histogram<double> _rest;
    private readonly Histogram<double> _oauth;
    private readonly Counter<long> _refreshes;

    public RestMetrics(IMeterFactory meters, AppRegistry apps)
    {
        _apps = apps;
        var meter = meters.Create(MeterName);
        _rest = meter.CreateHistogram<double>("bitrix24.rest.duration", "s", "Calls of REST methods on portals, one attempt each.");
        _oauth = meter.CreateHistogram<double>("bitrix24.oauth.duration", "s", "Calls to OAuth servers.");
        _refreshes = meter.CreateCounter<long>("bitrix24.token.refreshes", "{refresh}", "Refreshes of portals' tokens by outcome.");
    }

    public void RestCall(string method, string code, TimeSpan took) =>
        _rest.Record(took.TotalSeconds, new TagList { { "method", method }, { "code", code } });

    public void OAuthCall(string method, string code, TimeSpan took) =>
        _oauth.Record(took.TotalSeconds, new TagList { { "method", method }, { "code", code } });

    public void Refreshed(PortalId id, string outcome) => _refreshes.Add(1, new TagList { { "outcome", outcome }, _apps.Label(id) });
}
