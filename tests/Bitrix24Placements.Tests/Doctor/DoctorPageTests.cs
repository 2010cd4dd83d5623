using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Bitrix24Placements.Doctor;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Doctor;

/// <summary>The doctor on the app's page, and his echo, by which nobody else learns anything.</summary>
public sealed partial class DoctorPageTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_administrator_gets_a_line_for_each_check_in_his_language()
    {
        await using var patient = await Patient.StartAsync();
        var session = await SessionAsync(patient.Service, 1);
        patient.Portal.App.Scopes = ["pull"];
        using var answer = await AskAsync(patient.Service, session, "de");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var lines = (await answer.Content.ReadAsStringAsync(Token)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var checks = lines.Select(static l => JsonNode.Parse(l)!).ToList();
        Assert.Equal(12, checks.Count);
        var wrong = Assert.Single(checks, static c => (string?)c["state"] == "wrong");
        Assert.Equal("portal", (string?)wrong["check"]);
        Assert.Equal("Der App fehlt eine Berechtigung.", (string?)wrong["findings"]![0]!["what"]);
        Assert.DoesNotContain(lines, l => l.Contains(patient.Service.Folder.FullName, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Whoever_is_no_administrator_is_refused()
    {
        await using var service = await Service.StartInstalledAsync();
        var employee = service.Portal.Users.First(static u => !u.Admin).Id;
        using var answer = await AskAsync(service, await SessionAsync(service, employee), "en");
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        var calls = service.Portal.Calls.Count;
        for (var i = 0; i < 5; i++)
            (await AskAsync(service, await SessionAsync(service, employee), "en")).Dispose();
        Assert.Equal(calls, service.Portal.Calls.Count);
        using var nobody = await AskAsync(service, "made-up", "en");
        Assert.Equal(HttpStatusCode.Unauthorized, nobody.StatusCode);
    }

    [Fact]
    public async Task The_echo_does_nothing_and_is_sealed()
    {
        await using var service = await Service.StartInstalledAsync();
        var calls = service.Portal.Calls.Count;
        var form = service.Portal.InstallFields(1, handler: new Uri(service.Url, "/install").AbsoluteUri);
        using var request = new HttpRequestMessage(HttpMethod.Post, form.Action) { Content = new FormUrlEncodedContent(form.Body) };
        request.Headers.Add("Bitrix24-Doctor", "a-nonce-of-mine");
        using var answer = await service.Http.SendAsync(request, Token);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("", await answer.Content.ReadAsStringAsync(Token));
        Assert.Equal(calls, service.Portal.Calls.Count);
        var seal = Assert.Single(answer.Headers.GetValues("Bitrix24-Doctor"));
        Assert.DoesNotContain("nonce", System.Text.Encoding.Latin1.GetString(
            System.Buffers.Text.Base64Url.DecodeFromChars(seal)), StringComparison.Ordinal);
        Assert.NotNull(service.Get<EchoSeal>().Open(seal, "a-nonce-of-mine"));
        Assert.Null(service.Get<EchoSeal>().Open(seal, "another"));
    }

    [Fact]
    public async Task A_test_event_that_is_not_believed_is_heard_as_refused()
    {
        await using var service = await Service.StartInstalledAsync();
        var fields = service.Portal.EventFields("ONAPPTEST");
        fields["auth[application_token]"] = "another";
        (await service.PostAsync("/events?doctor=n1", fields)).Dispose();
        (await service.PostAsync("/events?doctor=n2", service.Portal.EventFields("ONAPPTEST"))).Dispose();
        Assert.Equal([403, 200, null], new[] { "n1", "n2", "n3" }.Select(service.Get<HeardEvents>().StatusOf));
    }

    [Fact]
    public async Task A_test_event_is_heard_however_many_others_make_up()
    {
        await using var service = await Service.StartInstalledAsync();
        (await service.PostAsync("/events?doctor=genuine", service.Portal.EventFields("ONAPPTEST"))).Dispose();
        for (var i = 0; i < 100; i++)
            (await service.PostAsync($"/events?doctor=made-up-{i}", [])).Dispose();
        Assert.Equal(200, service.Get<HeardEvents>().StatusOf("genuine"));
    }

    private static async Task<string> SessionAsync(Service service, int userId)
    {
        using var page = await service.AppPageAsync(userId: userId);
        return Session().Match(await page.Content.ReadAsStringAsync(Token)).Groups[1].Value;
    }

    private static async Task<HttpResponseMessage> AskAsync(Service service, string session, string language)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/doctor?language=" + language);
        request.Headers.Authorization = new("Bearer", session);
        return await service.Http.SendAsync(request, Token);
    }

    [GeneratedRegex("data-session=\"([^\"]+)\"")]
    private static partial Regex Session();
}
