using Bitrix24Placements.Apps;
using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Work;

/// <summary>An app was added: kept installations may be this one's, and are tried now.</summary>
internal sealed class KeptInstallationsFollower(
    KeptInstallations kept, AppRegistry apps, WorkSignal work, Readiness readiness, TimeProvider time,
    ILogger<KeptInstallationsFollower> logger) : ReadyService(readiness)
{
    private readonly WorkSignal _changed = new();

    protected override async Task RunAsync(CancellationToken stoppingToken)
    {
        apps.Changed += _changed.Wake;
        try
        {
            await RepeatAsync(async token =>
            {
                await kept.HastenAsync(token);
                work.Wake();
                await _changed.WaitAsync(Timeout.InfiniteTimeSpan, token);
            }, TimeSpan.FromMilliseconds(100), time, logger, stoppingToken);
        }
        finally
        {
            apps.Changed -= _changed.Wake;
        }
    }

    public override void Dispose()
    {
        _changed.Dispose();
        base.Dispose();
    }
}
