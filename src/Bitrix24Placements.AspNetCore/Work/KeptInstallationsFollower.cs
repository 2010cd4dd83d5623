using Bitrix24Placements.Apps;
using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Work;

/// <summary>An app was added: kept installations may be this one's.</summary>
internal sealed class KeptInstallationsFollower : RepeatingService
{
    private readonly KeptInstallations _kept;
    private readonly AppRegistry _apps;
    private readonly WorkSignal _work;
    private readonly WorkSignal _changed = new();

    public KeptInstallationsFollower(KeptInstallations kept, AppRegistry apps, WorkSignal work, Readiness readiness)
        : base(readiness, TimeSpan.FromMilliseconds(100))
    {
        (_kept, _apps, _work) = (kept, apps, work);
        apps.Changed += _changed.Wake;
    }

    protected override async Task RunOnceAsync(CancellationToken stoppingToken)
    {
        await _kept.HastenAsync(stoppingToken);
        _work.Wake();
        await _changed.WaitAsync(Timeout.InfiniteTimeSpan, stoppingToken);
    }

    public override void Dispose()
    {
        _apps.Changed -= _changed.Wake;
        _changed.Dispose();
        base.Dispose();
    }
}
