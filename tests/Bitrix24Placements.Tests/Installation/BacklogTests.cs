using System.Net;
using Bitrix24Placements.Portals;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Storage;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Installation;

/// <summary>A changed PublicUrl concerns every portal, and many of them do not answer: whoever asks for something has not to wait for them.</summary>
public sealed class BacklogTests : IAsyncLifetime
{
    private const int Silent = 60;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("b24p-");
    private readonly SilentHost _silence = new();
    private Bitrix24 _bitrix = null!;
    private Service _service = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _bitrix = await Bitrix24.StartAsync(cancellationToken: Token);
        await using (var before = await Service.StartAsync(bitrix: _bitrix, folder: _folder))
            await InstallSilentPortalsAsync(before);
        _service = await Service.StartAsync(new() { ["Bitrix24:PublicUrl"] = "http://127.0.0.1/moved" }, _bitrix, _folder);
        await _service.EventuallyAsync(() => _silence.WasContacted, "portals of another declaration are looked at");
    }

    [Fact]
    public async Task An_installation_is_reconciled_within_five_seconds()
    {
        using var answer = await _service.PostAsync("/events", _service.Portal.EventFields("ONAPPINSTALL"));

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        await _service.EventuallyAsync(() => _service.Portal.Placements.Count == 2, "both placements are registered", 5);
    }

    [Fact]
    public async Task A_removed_worker_is_restored()
    {
        await _service.InstallAsync();
        var worker = _service.Portal.Placements.Single(static p => p.Placement == "PAGE_BACKGROUND_WORKER");
        var path = new Uri((string)worker.Options["errorHandlerUrl"]!).AbsolutePath["/moved".Length..];
        await _service.Portal.RemoveWorkerAsync(notify: false, Token);

        using var answer = await _service.PostAsync(path, new Dictionary<string, string> { ["error"] = "ERROR_PLACEMENT_LOADING_OVERTIME" });

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        await _service.EventuallyAsync(() => _service.Portal.Placements.Count == 2, "the worker is registered again", 5);
    }

    private async Task InstallSilentPortalsAsync(Service before)
    {
        var tokens = new PortalTokens(new("access"), new("refresh"), DateTimeOffset.UtcNow.AddHours(1));
        for (var i = 0; i < Silent; i++)
        {
            await before.Get<PortalStore>().InstallAsync(
                new()
                {
                    Id = new(i.ToString("x32", System.Globalization.CultureInfo.InvariantCulture)),
                    ClientEndpoint = new($"{_silence.Url}/rest/"),
                    OAuthServer = new(_bitrix.OAuth.Url),
                    UserId = 1,
                    Tokens = tokens,
                    ReconcileIn = TimeSpan.FromDays(1),
                },
                Token);
        }

        await before.Get<Database>().ExecuteAsync("DELETE FROM work", Token);
    }

    public async ValueTask DisposeAsync()
    {
        await _service.DisposeAsync();
        await _bitrix.DisposeAsync();
        _silence.Dispose();
        _folder.Delete(true);
    }
}
