using System.Net;
using System.Text.Json.Nodes;
using Bitrix24Placements.Apps;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Apps;

/// <summary><c>app remove</c> ends an app here, whatever of it is still in memory, and leaves its neighbour on the portal alone.</summary>
public sealed class RemovedAppTests : IAsyncLifetime
{
    private const string ClientId = "local.second.1";

    private static readonly string Keys = new('s', 50);

    private Service _service = null!;
    private SimApp _second = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _service = await Service.StartInstalledAsync();
        _second = _service.Portal.AddApp(ClientId, Keys);
        await _service.Get<AppRegistry>().AddAsync("second", ClientId, new(Keys), null, Token);
        var fields = _service.Portal.InstallFields(1, handler: new Uri(_service.Url, "/install").AbsoluteUri, app: _second);
        (await _service.PostAsync(fields, "application/json")).Dispose();
    }

    public ValueTask DisposeAsync() => _service.DisposeAsync();

    [Fact]
    public async Task Nothing_of_it_is_served_from_memory()
    {
        var launch = _service.Portal.LaunchFields("REST_APP_URI", 2, handler: new Uri(_service.Url, "/placements/rest-app-uri").AbsoluteUri, app: _second);
        using (var page = await _service.PostAsync(launch))
            Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        var worker = _service.Portal.LaunchFields(
            "PAGE_BACKGROUND_WORKER", handler: new Uri(_service.Url, "/placements/page-background-worker").AbsoluteUri, app: _second);

        await _service.Get<AppRegistry>().RemoveAsync("second", Token);

        foreach (var form in new[] { launch, worker })
        {
            using var refused = await _service.PostAsync(form);
            Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        }

        using var told = await _service.PostAsync("/events", _service.Portal.EventFields("ONCRMDEALADD", app: _second));
        Assert.Equal(HttpStatusCode.Forbidden, told.StatusCode);
        using var neighbour = await _service.WorkerAsync();
        Assert.Equal(HttpStatusCode.OK, neighbour.StatusCode);
        using var neighbours = await _service.PostAsync("/events", _service.Portal.EventFields("ONCRMDEALADD"));
        Assert.Equal(HttpStatusCode.OK, neighbours.StatusCode);
    }

    [Fact]
    public async Task Its_pages_sessions_end_and_come_back_with_it()
    {
        var launch = _service.Portal.LaunchFields("REST_APP_URI", 2, handler: new Uri(_service.Url, "/placements/rest-app-uri").AbsoluteUri, app: _second);
        using var page = await _service.PostAsync(launch);
        var html = await page.Content.ReadAsStringAsync(Token);
        var session = html.Split("data-session=\"")[1].Split('"')[0];
        Assert.Equal(HttpStatusCode.OK, await ContextAsync(session));

        await _service.Get<AppRegistry>().RemoveAsync("second", Token);
        Assert.Equal(HttpStatusCode.Unauthorized, await ContextAsync(session));

        await _service.Get<AppRegistry>().AddAsync("second", ClientId, new(Keys), null, Token);
        Assert.Equal(HttpStatusCode.OK, await ContextAsync(session));
    }

    [Fact]
    public async Task A_backend_need_not_choose_any_more()
    {
        Assert.Equal(HttpStatusCode.Conflict, await SignalAsync(null));

        await _service.Get<AppRegistry>().RemoveAsync("second", Token);

        Assert.Equal(HttpStatusCode.Accepted, await SignalAsync(null));
        Assert.Equal(HttpStatusCode.NotFound, await SignalAsync("second"));
    }

    private async Task<HttpStatusCode> SignalAsync(string? app)
    {
        var body = new JsonObject { ["memberId"] = _service.Portal.MemberId, ["command"] = "ping" };
        if (app is not null)
            body["app"] = app;
        using var answer = await _service.ApiAsync("/api/signals", body);
        return answer.StatusCode;
    }

    private async Task<HttpStatusCode> ContextAsync(string session)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/context") { Headers = { Authorization = new("Bearer", session) } };
        using var answer = await _service.Http.SendAsync(request, Token);
        return answer.StatusCode;
    }
}
