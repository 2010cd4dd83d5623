using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Bitrix24Placements.Inspector;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Inspector;

/// <summary>What a developer sees of launches, events and calls, and what nobody else sees.</summary>
public sealed class InspectorTests : IAsyncLifetime
{
    private Service _service = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _service = await Service.StartAsync(new() { ["Bitrix24:Verification"] = "Required" }, environment: "Development");
        await _service.InstallAsync();
        _service.Portal.FinishInstall();
    }

    public ValueTask DisposeAsync() => _service.DisposeAsync();

    [Fact]
    public async Task Each_launch_event_and_call_is_shown_with_what_was_decided_and_why()
    {
        (await _service.WorkerAsync()).Dispose();
        (await _service.WorkerAsync(change: static f => f.Body["APPLICATION_TOKEN"] = "anotherToken")).Dispose();
        (await _service.LinkAsync(userId: 2)).Dispose();
        (await _service.LinkAsync(change: static f => f.Body["AUTH_ID"] = "invented")).Dispose();
        (await _service.LinkAsync(change: static f => f.Body.Remove("PLACEMENT"))).Dispose();
        (await _service.PostAsync("/events", _service.Portal.EventFields("ONCRMDEALADD"))).Dispose();
        var forged = _service.Portal.EventFields("ONCRMDEALADD");
        forged["auth[application_token]"] = "anotherToken";
        (await _service.PostAsync("/events", forged)).Dispose();

        var log = await LogAsync();

        Assert.Contains(("call", "ok"), log.Where(static e => Text(e, "title") == "placement.bind").Select(Kind));
        Assert.Equal(
        [
            ("launch", "200 believed: APPLICATION_TOKEN is the stored one"),
            ("launch", "403 notVerified: APPLICATION_TOKEN differs from the stored one"),
            ("launch", "200 believed: the OAuth server knows AUTH_ID, as that of user 2"),
            ("launch", "403 notVerified: the OAuth server does not know AUTH_ID as this portal's"),
        ], log.Where(static e => Text(e, "kind") == "launch" && Text(e, "title") != "/install").Take(4).Select(Kind));
        Assert.Contains(log, static e => Text(e, "decision").StartsWith("400 malformedRequest: PLACEMENT ", StringComparison.Ordinal));
        Assert.Equal(
            [("event", "200"), ("event", "403 notVerified: auth[application_token] differs from the stored one")],
            log.Where(static e => Text(e, "kind") == "event").Select(Kind));
    }

    [Fact]
    public async Task No_token_is_shown()
    {
        var link = _service.Portal.LaunchFields("REST_APP_URI", 2, handler: new Uri(_service.Url, "/placements/rest-app-uri").AbsoluteUri);
        (await _service.PostAsync(link)).Dispose();
        (await _service.PostAsync("/events", _service.Portal.EventFields("ONCRMDEALADD"))).Dispose();

        var shown = await _service.Http.GetStringAsync("/inspector/log", Token);

        Assert.Contains("\"AUTH_ID\",\"value\":\"***\"", shown, StringComparison.Ordinal);
        Assert.Contains("member_id", shown, StringComparison.Ordinal);
        foreach (var secret in new[] { link.Body["AUTH_ID"], link.Body["REFRESH_ID"], _service.Portal.App.ApplicationToken })
            Assert.DoesNotContain(secret, shown, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_launch_is_replayed_with_the_tokens_that_it_came_with()
    {
        (await _service.LinkAsync(userId: 2)).Dispose();
        var number = (long)(await LastLaunchAsync())["number"]!;
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/inspector/{number}/replay");
        request.Headers.Add("Bitrix24-Inspector", "1");

        using var answer = await _service.Http.SendAsync(request, Token);

        Assert.StartsWith("200, ", await answer.Content.ReadAsStringAsync(Token), StringComparison.Ordinal);
        var last = await LastLaunchAsync();
        Assert.Equal("200 believed: the OAuth server knows AUTH_ID, as that of user 2", Text(last, "decision"));
        Assert.True((long)last["number"]! > number);
        // Another site's page cannot set the header.
        using var forged = await _service.Http.PostAsync($"/inspector/{number}/replay", null, Token);
        Assert.Equal(HttpStatusCode.NotFound, forged.StatusCode);
    }

    [Fact]
    public async Task A_launch_is_saved_for_a_test_or_with_its_tokens_for_the_command_that_replays_it()
    {
        var link = _service.Portal.LaunchFields("REST_APP_URI", 2, handler: new Uri(_service.Url, "/placements/rest-app-uri").AbsoluteUri);
        (await _service.PostAsync(link)).Dispose();
        var number = (long)(await LastLaunchAsync())["number"]!;

        var masked = await _service.Http.GetStringAsync($"/inspector/{number}.txt", Token);
        var whole = await _service.Http.GetStringAsync($"/inspector/{number}.txt?tokens", Token);

        Assert.Equal(link.Action.PathAndQuery, whole.Split('\n')[0]);
        Assert.Contains($"AUTH_ID={link.Body["AUTH_ID"]}&", whole, StringComparison.Ordinal);
        Assert.Contains($"AUTH_ID={new string('0', link.Body["AUTH_ID"].Length)}&", masked, StringComparison.Ordinal);
        Assert.DoesNotContain(link.Body["REFRESH_ID"], masked, StringComparison.Ordinal);
        Assert.Equal($"/removed/{new string('0', 64)}\n\n", new CapturedRequest($"/removed/{new string('a', 64)}", "", "").ToPayload(withTokens: false));
        Assert.Equal((0, "200 OK"), await ReplayAsync(whole));
        Assert.Equal((1, "403 Forbidden"), await ReplayAsync(masked));
    }

    [Fact]
    public async Task What_is_no_payload_and_a_service_that_is_not_there_are_told_in_one_line()
    {
        var (status, line) = await ReplayAsync("GET / HTTP/1.1\n");
        Assert.Equal(1, status);
        Assert.Contains("such as /events", line, StringComparison.Ordinal);
        (status, line) = await ReplayAsync("/events\na=b\n", "here");
        Assert.Equal(1, status);
        Assert.Contains("--url", line, StringComparison.Ordinal);
        (status, line) = await ReplayAsync("/events\na=b\n", $"http://127.0.0.1:{Service.FreePort()}");
        Assert.Equal(1, status);
        Assert.Contains("127.0.0.1", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_last_200_are_kept()
    {
        for (var i = 0; i < Inspections.Max + 5; i++)
            (await _service.PostAsync("/events", [new("event", "ONX"), new("i", $"{i}")])).Dispose();
        var log = await LogAsync();
        Assert.Equal(Inspections.Max, log.Count);
        Assert.Equal($"{Inspections.Max + 4}", (string?)log.FindLast(static e => Text(e, "kind") == "event")!["fields"]!.AsArray().Single(static f => (string?)f!["key"] == "i")!["value"]);
        Assert.Single(await LogAsync((long)log[^2]["number"]!));
    }

    [Theory]
    [InlineData("Host", "app.example.com")]
    [InlineData("X-Forwarded-For", "127.0.0.1")]
    [InlineData("X-Forwarded-Host", "localhost")]
    [InlineData("Via", "1.1 tunnel")]
    public async Task Who_comes_through_a_tunnel_finds_nothing(string name, string value)
    {
        foreach (var path in new[] { "/inspector", "/inspector/inspector.js", "/inspector/log", "/inspector/1.txt" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.TryAddWithoutValidation(name, value);
            using var answer = await _service.Http.SendAsync(request, Token);
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        }
    }

    [Fact]
    public async Task Outside_of_Development_there_is_none()
    {
        await using var service = await Service.StartAsync();
        foreach (var path in new[] { "/inspector", "/inspector/log", "/inspector/1.txt" })
        {
            using var answer = await service.Http.GetAsync(path, Token);
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        }

        Assert.Throws<InvalidOperationException>(service.Get<Inspections>);
    }

    private async Task<List<JsonNode>> LogAsync(long after = 0) =>
        [.. JsonNode.Parse(await _service.Http.GetStringAsync($"/inspector/log?after={after}", Token))!.AsArray().Select(static e => e!)];

    /// <summary>What the portal is asked in the background comes between.</summary>
    private async Task<JsonNode> LastLaunchAsync() => (await LogAsync()).FindLast(static e => Text(e, "kind") == "launch")!;

    /// <summary>The exit status of the command, and its first line.</summary>
    private async Task<(int Status, string Line)> ReplayAsync(string payload, string? url = null)
    {
        var file = Path.Combine(_service.Folder.FullName, "payload.txt");
        await File.WriteAllTextAsync(file, payload, Encoding.Latin1, Token);
        var run = await FailedStart.RunAsync([], "replay", file, "--url", url ?? _service.Url.AbsoluteUri);
        return (run.ExitCode, run.Output.Split('\n')[0].Trim());
    }

    private static (string, string) Kind(JsonNode entry) => (Text(entry, "kind"), Text(entry, "decision"));

    private static string Text(JsonNode entry, string name) => (string)entry[name]!;
}
