using Bitrix24Placements.Tests.Harness;

[assembly: AssemblyFixture(typeof(SharedInstalledService))]
[assembly: AssemblyFixture(typeof(SharedUnverifiedService))]

namespace Bitrix24Placements.Tests.Harness;

/// <summary>One service with an installed portal, for tests that only ask: none of them changes the portal, the faults or the settings.</summary>
public sealed class SharedInstalledService : IAsyncLifetime
{
    public Service Service { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Service = await Service.StartInstalledAsync(new() { ["Limits:UnverifiedPerMinute"] = "100000" });

    public ValueTask DisposeAsync() => Service.DisposeAsync();
}

/// <summary>One service as a developer starts it: nothing of a launch is verified.</summary>
public sealed class SharedUnverifiedService : IAsyncLifetime
{
    public Service Service { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Service = await Service.StartAsync(new() { ["Bitrix24:Verification"] = "Off" }, environment: "Development");

    public ValueTask DisposeAsync() => Service.DisposeAsync();
}
