using System.Net;
using System.Text.Json.Nodes;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Refusals;

/// <summary>Who waits for a server that does not answer takes no place of those who wait for nobody.</summary>
public sealed class WaitingTests
{
    private static readonly Dictionary<string, string?> OnePlace = new() { ["Limits:ConcurrentRequests"] = "1" };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_event_that_brings_tokens_leaves_the_places_of_other_events()
    {
        await using var service = await Service.StartInstalledAsync(OnePlace);
        var waiting = await WaitingAsync(service, "oauth:app.info", () => service.PostAsync("/events", service.Portal.EventFields("ONAPPUSERREADY")));

        using var heard = await service.PostAsync("/events", service.Portal.EventFields("ONCRMDEALADD"));

        Assert.Equal(HttpStatusCode.OK, heard.StatusCode);
        await waiting();
    }

    [Fact]
    public async Task The_doctor_leaves_the_places_of_backends()
    {
        await using var service = await Service.StartInstalledAsync(OnePlace);
        using var page = await service.AppPageAsync();
        var session = (await page.Content.ReadAsStringAsync(Token)).Split("data-session=\"")[1].Split('"')[0];
        var waiting = await WaitingAsync(service, "rest:profile", async () =>
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/doctor");
            request.Headers.Authorization = new("Bearer", session);
            return await service.Http.SendAsync(request, Token);
        });

        using var signal = await service.ApiAsync("/api/signals", new JsonObject { ["memberId"] = service.Portal.MemberId, ["command"] = "test" });

        Assert.Equal(HttpStatusCode.Accepted, signal.StatusCode);
        await waiting();
    }

    [Fact]
    public async Task A_known_person_with_a_wrong_application_token_leaves_the_places_of_known_people()
    {
        await using var service = await Service.StartInstalledAsync(OnePlace);
        var (guesser, known) = (service.Portal.LaunchFields("REST_APP_URI", 2), service.Portal.LaunchFields("REST_APP_URI", 3));
        foreach (var form in new[] { guesser, known })
        {
            using var confirmed = await service.PostAsync(form);
            Assert.Equal(HttpStatusCode.OK, confirmed.StatusCode);
        }

        guesser.Body["APPLICATION_TOKEN"] = "a-guess";
        var waiting = await WaitingAsync(service, "oauth:app.info", () => service.PostAsync(guesser));

        using var served = await service.PostAsync(known);

        Assert.Equal(HttpStatusCode.OK, served.StatusCode);
        await waiting();
    }

    /// <summary>Sends what makes the service ask, and gives what lets it be answered.</summary>
    private static async Task<Func<Task>> WaitingAsync(Service service, string asked, Func<Task<HttpResponseMessage>> send)
    {
        var goOn = new TaskCompletionSource();
        service.Bitrix.OAuth.Calls.Clear();
        service.Portal.Calls.Clear();
        service.Bitrix.Faults.Set(asked, Fault.Until(goOn.Task));
        var answer = send();
        await Task.WhenAny(
            service.Bitrix.OAuth.Calls.WaitAsync(c => asked == "oauth:" + c.Kind, 1, Token), service.Portal.Calls.WaitAsync(c => asked == "rest:" + c.Method, 1, Token));
        return async () =>
        {
            goOn.SetResult();
            (await answer).Dispose();
        };
    }
}
