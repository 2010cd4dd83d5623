using System.Diagnostics.CodeAnalysis;
using Bitrix24Placements.BrowserTests.Harness;

[assembly: AssemblyFixture(typeof(Chromium))]
// Every test waits more than it computes, and has a service and a Bitrix24 of its own.
[assembly: Xunit.v3.Parallelization(MaxThreads = 2)]

namespace Bitrix24Placements.BrowserTests.Harness;

/// <summary>The Chromium of this machine, started once. Nothing is downloaded.</summary>
public sealed class Chromium : IAsyncLifetime
{
    private static readonly string[] Names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

    private static readonly string[] Flags =
    [
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
    ];

    private IPlaywright? _playwright;
    private IBrowser? _browser;

    /// <summary>Null where no browser has been found.</summary>
    [SuppressMessage("Performance", "CA1822:Mark members as static", Justification = "Of this fixture.")]
    public string? Path { get; } = Find();

    public async ValueTask InitializeAsync()
    {
        if (Path is null)
            return;
        SetDefaultExpectTimeout(Patience);
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new() { ExecutablePath = Path, Args = Flags, Headless = true, Timeout = 60_000 });
    }

    /// <summary>Milliseconds; for machines with a lot to do.</summary>
    public const int Patience = 20_000;

    public async Task<IBrowserContext> NewContextAsync(BrowserNewContextOptions options)
    {
        if (_browser is null)
            Assert.Skip($"There is none of {string.Join(", ", Names)} on the PATH. On Debian: apt-get install --no-install-recommends chromium");
        var context = await _browser.NewContextAsync(options);
        context.SetDefaultTimeout(Patience);
        context.SetDefaultNavigationTimeout(Patience);
        return context;
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
            await _browser.DisposeAsync();
        _playwright?.Dispose();
    }

    private static string? Find()
    {
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(System.IO.Path.PathSeparator);
        return Names.SelectMany(name => folders.Select(folder => System.IO.Path.Combine(folder, name))).FirstOrDefault(File.Exists);
    }
}
