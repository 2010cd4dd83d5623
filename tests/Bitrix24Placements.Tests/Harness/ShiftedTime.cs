using Microsoft.Extensions.DependencyInjection;

namespace Bitrix24Placements.Tests.Harness;

/// <summary>A clock that a test can put forward. Timers run on as they are, so that nothing waits for the test to move them.</summary>
public sealed class ShiftedTime : TimeProvider
{
    private long _ticks;

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + new TimeSpan(Interlocked.Read(ref _ticks));

    public void Shift(TimeSpan by) => Interlocked.Add(ref _ticks, by.Ticks);

    public void Register(IServiceCollection services) => services.AddSingleton<TimeProvider>(this);
}
