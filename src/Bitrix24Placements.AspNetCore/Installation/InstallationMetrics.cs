using System.Diagnostics;
using System.Diagnostics.Metrics;
using Bitrix24Placements.Apps;

namespace Bitrix24Placements.Installation;

internal sealed class InstallationMetrics(IMeterFactory meters, AppRegistry apps)
{
    public const string MeterName = "Bitrix24Placements.Installation";

    private readonly Counter<long> _reconciliations = meters.Create(MeterName).CreateCounter<long>(
        "bitrix24.reconciliations", "{reconciliation}", "Reconciliations of portals' placements by outcome.");

    private readonly Counter<long> _removals = meters.Create(MeterName).CreateCounter<long>(
        "bitrix24.worker.removals", "{notice}", "Notices that Bitrix24 has removed a worker.");

    private readonly Counter<long> _uninstalls = meters.Create(MeterName).CreateCounter<long>(
        "bitrix24.uninstalls", "{check}", "Checks of told uninstallations by outcome.");

    private readonly Counter<long> _installs = meters.Create(MeterName).CreateCounter<long>(
        "bitrix24.installs", "{install}", "Installations by outcome.");

    public void Reconciled(PortalId id, string outcome) =>
        _reconciliations.Add(1, new TagList { { "outcome", outcome }, apps.Label(id) });

    public void WorkerRemoved() => _removals.Add(1);

    public void Uninstall(string outcome) => _uninstalls.Add(1, new TagList { { "outcome", outcome } });

    public void Installed(string outcome) => _installs.Add(1, new TagList { { "outcome", outcome } });
}
