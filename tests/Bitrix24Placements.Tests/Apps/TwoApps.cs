using System.Net;
using System.Text.Json.Nodes;
using Bitrix24Placements.Apps;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Tests.Harness;
using Bitrix24Placements.Tests.Installation;

namespace Bitrix24Placements.Tests.Apps;

/// <summary>A service with two apps on one portal: the default one, and one that was added while it runs.</summary>
internal sealed record TwoApps(Service Service, SimApp Second) : IAsyncDisposable
{
    public const string Name = "second";
    public const string ClientId = "local.second.1";

    public static readonly string Keys = new('s', 50);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public SimPortal Portal => Service.Portal;

    public AppRegistry Apps => Service.Get<AppRegistry>();

    public static async Task<TwoApps> StartAsync()
    {
        var service = await Service.StartInstalledAsync();
        var second = service.Portal.AddApp(ClientId, Keys);
        await service.Get<AppRegistry>().AddAsync(new(Name, ClientId, new(Keys), null), Token);
        (await service.PostAsync(service.Wizard(app: second))).Dispose();
        service.Portal.FinishInstall(second);
        return new(service, second);
    }

    /// <summary>A user's link, or the worker's load.</summary>
    public LaunchForm Launch(string placement, SimApp? app = null) => Portal.LaunchFields(
        placement, 2, handler: new Uri(Service.Url, "/placements/" + placement.ToLowerInvariant().Replace('_', '-')).AbsoluteUri, app: app);

    public async Task<HttpStatusCode> WorkerAsync(SimApp? app = null) => await StatusAsync(Service.PostAsync(Launch(Steps.Worker, app)));

    /// <summary>That of a user's page.</summary>
    public async Task<string> SessionAsync(SimApp app)
    {
        using var page = await Service.PostAsync(Launch(Steps.Link, app));
        return (await page.Content.ReadAsStringAsync(Token)).Split("data-session=\"")[1].Split('"')[0];
    }

    public async Task<HttpStatusCode> SignalAsync(string? app) => await StatusAsync(Service.ApiAsync(
        "/api/signals", new JsonObject { ["memberId"] = Portal.MemberId, ["command"] = "ping", ["app"] = app }));

    public static async Task<HttpStatusCode> StatusAsync(Task<HttpResponseMessage> asked)
    {
        using var answer = await asked;
        return answer.StatusCode;
    }

    public ValueTask DisposeAsync() => Service.DisposeAsync();
}
