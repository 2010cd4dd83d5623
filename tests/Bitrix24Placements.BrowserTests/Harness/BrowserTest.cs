using System.Reflection;
using System.Text.RegularExpressions;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.BrowserTests.Harness;

/// <summary>A service with a Bitrix24 of its own, and a browser window of its own, for one test.</summary>
public abstract partial class BrowserTest(Chromium chromium) : IAsyncLifetime
{
    /// <summary>Where pictures and HTML of failed tests are kept.</summary>
    private static readonly string Kept = Path.Combine(Repository, "artifacts", "browser");

    /// <summary><c>VENDOR_BX24</c> and <c>VENDOR_PULL</c> name files that take the place of the simulator's libraries.</summary>
    private static readonly Bitrix24Options Libraries = new()
    {
        ScriptFile = Environment.GetEnvironmentVariable("VENDOR_BX24"),
        PullScriptFile = Environment.GetEnvironmentVariable("VENDOR_PULL"),
    };

    private readonly List<IBrowserContext> _contexts = [];
    private Bitrix24 _bitrix = null!;

    public static string Repository => typeof(BrowserTest).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().First(static a => a.Key == "Repository").Value!;

    public Service Service { get; private set; } = null!;

    public SimPortal Portal => Service.Portal;

    public Complaints Complaints { get; private set; } = null!;

    protected IBrowserContext Context { get; private set; } = null!;

    protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>False for tests of the installation itself.</summary>
    protected virtual bool Installed => true;

    protected virtual string EnvironmentName => "Production";

    public async ValueTask InitializeAsync()
    {
        // Before anything else is started: without a browser the test is skipped here.
        Complaints = new Complaints(() => Service.Url);
        // The vendor's protobuf looks for an optional module with eval, and does without it.
        if (Libraries.PullScriptFile is not null)
            Complaints.Expect(static text => text.Contains("script-src eval", StringComparison.Ordinal) || text.Contains("'unsafe-eval'", StringComparison.Ordinal));
        Context = await NewContextAsync();
        _bitrix = await Bitrix24.StartAsync(Libraries, Cancellation);
        var settings = new Dictionary<string, string?>
        {
            ["Bitrix24:Verification"] = "Required",
            ["Bitrix24:ScriptUrl"] = $"{_bitrix.Portals[0].Url}/api/v1/",
            ["Bitrix24:PullScriptUrl"] = $"{_bitrix.Portals[0].Url}/api/v1/pull/",
        };
        Service = Installed ? await Service.StartInstalledAsync(settings, _bitrix, EnvironmentName) : await Service.StartAsync(settings, _bitrix);
    }

    protected async Task<IBrowserContext> NewContextAsync(BrowserNewContextOptions? options = null)
    {
        var context = await chromium.NewContextAsync(options ?? new() { ViewportSize = new() { Width = 1280, Height = 800 } });
        _contexts.Add(context);
        await Complaints.ListenAsync(context);
        return context;
    }

    /// <summary>A tab of the portal, ready: its worker has been loaded.</summary>
    protected async Task<PortalTab> OpenAsync(string path = "/stream/", int userId = 1, string? lang = null, IBrowserContext? context = null)
    {
        var tab = new PortalTab(await (context ?? Context).NewPageAsync(), this);
        await tab.GoToAsync(path, userId, lang);
        return tab;
    }

    public Task EventuallyAsync(Func<bool> happened, string what) => Service.EventuallyAsync(happened, what);

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        var unexpected = Complaints.Unexpected;
        if (TestContext.Current.TestState?.Result == TestResult.Failed || KeepsAll || unexpected.Count > 0)
            await KeepAsync(unexpected);
        foreach (var context in _contexts)
            await context.DisposeAsync();
        if (Service is not null)
            await Service.DisposeAsync();
        if (_bitrix is not null)
            await _bitrix.DisposeAsync();
        Assert.True(unexpected.Count == 0, $"The browser complained:\n{string.Join('\n', unexpected)}");
    }

    /// <summary><c>KEEP_PAGES=1</c> keeps the pages of every test.</summary>
    private static readonly bool KeepsAll = Environment.GetEnvironmentVariable("KEEP_PAGES") is not null;

    private string Folder => Path.Combine(Kept, NotInFileNames().Replace(TestContext.Current.Test!.TestDisplayName[(GetType().FullName!.Length + 1)..], "_"));

    /// <summary>For people who want to look at a page that the test leaves again.</summary>
    protected Task LookAtAsync(IPage page, string name) =>
        KeepsAll ? page.ScreenshotAsync(new() { Path = Path.Combine(Folder, $"{name}.png"), Animations = ScreenshotAnimations.Disabled }) : Task.CompletedTask;

    /// <summary><c>PICTURES_TO=docs/images</c> makes the documents' pictures anew.</summary>
    protected static async Task PictureAsync(IPage page, string name, string? selector = null)
    {
        if (Environment.GetEnvironmentVariable("PICTURES_TO") is not { Length: > 0 } folder)
            return;
        var path = Path.Combine(Repository, folder, name + ".png");
        if (selector is null)
            await page.ScreenshotAsync(new() { Path = path, Animations = ScreenshotAnimations.Disabled });
        else
            await page.Locator(selector).ScreenshotAsync(new() { Path = path });
    }

    private async Task KeepAsync(IReadOnlyList<string> complaints)
    {
        var folder = Directory.CreateDirectory(Folder).FullName;
        await File.WriteAllLinesAsync(Path.Combine(folder, "complaints.txt"), complaints);
        if (Service is not null)
            await File.WriteAllLinesAsync(Path.Combine(folder, "service.log"), Service.Logs);
        foreach (var (page, i) in _contexts.SelectMany(static c => c.Pages).Select(static (page, i) => (page, i)))
        {
            try
            {
                await page.ScreenshotAsync(new() { Path = Path.Combine(folder, $"page-{i}.png") });
                foreach (var (frame, j) in page.Frames.Select(static (frame, j) => (frame, j)))
                    await File.WriteAllTextAsync(Path.Combine(folder, $"page-{i}-frame-{j}.html"), $"<!-- {frame.Url} -->\n{await frame.ContentAsync()}");
            }
            catch (PlaywrightException gone)
            {
                await File.WriteAllTextAsync(Path.Combine(folder, $"page-{i}.txt"), gone.Message);
            }
        }
    }

    [GeneratedRegex("[^A-Za-z0-9_-]+")]
    private static partial Regex NotInFileNames();
}
