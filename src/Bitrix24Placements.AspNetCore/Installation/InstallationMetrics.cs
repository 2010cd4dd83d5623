using System.Diagnostics;
using System.Diagnostics.Metrics;
using Bitrix24Placements.Apps;

namespace Bitrix24Placements.Installation;

internal sealed class InstallationMetrics
{
    public const string MeterName = "Bitrix24Placements.Installation";

    private readonly AppRegistry _apps;
    private readonly Counter<long> _reconciliations;
    private readonly Counter<long> _removals;
    private readonly Counter<long> _uninstalls;
    private readonly Counter<long> _installs;

    public InstallationMetrics(IMeterFactory meters, AppRegistry apps)
    {
        _apps = apps;
        var meter = meters.Create(MeterName);
        _reconciliations = meter.CreateCounter<long>("bitrix24.reconciliations", "{reconciliation}",
            "Reconciliations of portals' placements by outcome.");
        _removals = meter.CreateCounter<long>("bitrix24.worker.removals", "{notice}", "Notices that Bitrix24 has removed a worker.");
        _uninstalls = meter.CreateCounter<long>("bitrix24.uninstalls", "{check}", "Checks of told uninstallations by outcome.");
        _installs = meter.CreateCounter<long>("bitrix24.installs", "{install}", "Installations by outcome.");
    }

    public void Reconciled(PortalId id, string outcome) =>
        _reconciliations.Add(1, new TagList { { "outcome", outcome }, _apps.Label(id) });

    public void WorkerRemoved() => _removals.Add(1);

    public void Uninstall(string outcome) => _uninstalls.Add(1, new TagList { { "outcome", outcome } });

    public void Installed(string outcome) => _installs.Add(1, new TagList { { "outcome", outcome } });
}
