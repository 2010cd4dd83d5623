using System.Net;
using Bitrix24Placements.Tests.Harness;
using Bitrix24Placements.Tests.Installation;

namespace Bitrix24Placements.Tests.Placements;

/// <summary>Options may be as large as a body; what is told of them as JSON is not, however it would grow.</summary>
public sealed class LargeContextTests(SharedInstalledService shared)
{
    private Service Service => shared.Service;

    public static TheoryData<string> Options =>
    [
        // Indented, each zero would be a line of its own behind sixty spaces.
        string.Concat(Enumerable.Repeat("""{"a":""", 30)) + "[" + string.Join(',', Enumerable.Repeat('0', 8_000)) + "]" + new string('}', 30),
        // Each is escaped by six.
        $$"""{"URI":"/{{new string('\u007f', 15_000)}}"}""",
    ];

    [Fact]
    public async Task Of_too_many_values_are_refused()
    {
        var options = "{\"a\":[" + string.Join(',', Enumerable.Repeat('0', 15_000)) + "]}";
        using var link = await Service.LinkAsync(accept: "application/json", change: form => form.Body["PLACEMENT_OPTIONS"] = options);
        await link.AssertRefusedAsync(HttpStatusCode.BadRequest, "malformedRequest");
    }

    [Fact]
    public async Task Are_shown_as_far_as_anybody_reads()
    {
        var options = "{" + string.Join(',', Enumerable.Range(0, 60).Select(static i => $"\"p{i}\":\"{new string('x', 900)}\"")) + "}";
        using var page = await Service.LinkAsync(change: form => form.Body["PLACEMENT_OPTIONS"] = options);
        var html = await page.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Contains("p0</th>", html, StringComparison.Ordinal);
        Assert.InRange(html.Length, 1, 32 * 1024);
    }

    [Theory, MemberData(nameof(Options))]
    public async Task Are_not_told_and_the_page_is_served(string options)
    {
        using var json = await Service.LinkAsync(accept: "application/json", change: form => form.Body["PLACEMENT_OPTIONS"] = options);
        await json.AssertRefusedAsync(HttpStatusCode.RequestEntityTooLarge, "contextTooLarge");
        using var worker = await Service.WorkerAsync(accept: "application/json", change: form => form.Body["PLACEMENT_OPTIONS"] = options);
        Assert.InRange((await worker.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken)).Length, 1, 64 * 1024);

        using var page = await Service.LinkAsync(change: form => form.Body["PLACEMENT_OPTIONS"] = options);
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        var html = await page.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.InRange(html.Length, 1, 64 * 1024);
        var session = html.Split("data-session=\"")[1].Split('"')[0];
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/context");
        request.Headers.Authorization = new("Bearer", session);
        using var context = await Service.Http.SendAsync(request, TestContext.Current.CancellationToken);
        await context.AssertRefusedAsync(HttpStatusCode.NotFound, "contextTooLarge");
        using var app = await Service.AppPageAsync(accept: "application/json", change: form => form.Body["PLACEMENT_OPTIONS"] = options);
        Assert.Equal(HttpStatusCode.OK, app.StatusCode);
        Assert.NotNull((await Service.JsonAsync(app))["placements"]);
    }

    [Theory]
    [InlineData(2_000, true)]
    [InlineData(4_500, null)]
    [InlineData(8_000, false)]
    [InlineData(16_000, false)]
    public async Task A_session_fits_into_a_header_beside_a_browsers_others(int characters, bool? holdsContext)
    {
        var noise = Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(characters / 2));
        using var page = await Service.LinkAsync(change: form => form.Body["PLACEMENT_OPTIONS"] = $$"""{"noise":"{{noise}}"}""");
        var session = (await page.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).Split("data-session=\"")[1].Split('"')[0];
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/context");
        request.Headers.Authorization = new("Bearer", session);
        request.Headers.Add("Cookie", new string('c', 1_200));

        using var context = await Service.Http.SendAsync(request, TestContext.Current.CancellationToken);

        if (holdsContext is { } holds)
            Assert.Equal(holds ? HttpStatusCode.OK : HttpStatusCode.NotFound, context.StatusCode);
        else
            Assert.Contains(context.StatusCode, (HttpStatusCode[])[HttpStatusCode.OK, HttpStatusCode.NotFound]);
    }
}
