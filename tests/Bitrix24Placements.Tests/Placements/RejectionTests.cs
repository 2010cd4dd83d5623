using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Placements;

public sealed class RejectionTests(SharedInstalledService shared)
{
    private static readonly string[] Addresses = ["/placements/rest-app-uri", "/placements/page-background-worker", "/placements", "/", "/install", "/events"];

    private Service Service => shared.Service;

    public static TheoryData<string> Forms => [.. Addresses];

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task Refuses_a_body_that_is_no_form(string address)
    {
        foreach (var type in new[] { "application/json", "multipart/form-data; boundary=x", "text/plain", "application/x-www-form-urlencoded; charset=utf-16", null })
        {
            using var answer = await SendAsync(HttpMethod.Post, address, new ByteArrayContent("DOMAIN=a"u8.ToArray()), type);
            await AssertProblemAsync(answer, HttpStatusCode.UnsupportedMediaType, "unsupportedMediaType");
        }
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task Refuses_a_compressed_form(string address)
    {
        using var content = new ByteArrayContent([1, 2, 3]);
        content.Headers.ContentEncoding.Add("gzip");
        using var answer = await SendAsync(HttpMethod.Post, address, content, "application/x-www-form-urlencoded");
        await AssertProblemAsync(answer, HttpStatusCode.UnsupportedMediaType, "unsupportedMediaType");
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task Refuses_a_body_over_64_KiB(string address)
    {
        using var known = await SendAsync(HttpMethod.Post, address, new ByteArrayContent(new byte[(64 * 1024) + 1]), "application/x-www-form-urlencoded");
        await AssertProblemAsync(known, HttpStatusCode.RequestEntityTooLarge, "bodyTooLarge");

        using var unknown = await SendAsync(HttpMethod.Post, address, new StreamContent(new Unsized(80 * 1024)), "application/x-www-form-urlencoded");
        await AssertProblemAsync(unknown, HttpStatusCode.RequestEntityTooLarge, "bodyTooLarge");
    }

    [Fact]
    public async Task Reads_a_body_of_exactly_64_KiB()
    {
        var form = Service.Portal.LaunchFields("PAGE_BACKGROUND_WORKER");
        var body = await new FormUrlEncodedContent(form.Body).ReadAsStringAsync(TestContext.Current.CancellationToken);
        body += "&x=" + new string('a', (64 * 1024) - body.Length - 3);
        using var answer = await SendAsync(HttpMethod.Post, form.Action.PathAndQuery, new StringContent(body), "application/x-www-form-urlencoded");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Theory]
    [InlineData("GET", "/placements/rest-app-uri", "POST")]
    [InlineData("PUT", "/placements/page-background-worker", "POST")]
    [InlineData("DELETE", "/placements", "POST")]
    [InlineData("GET", "/install", "POST")]
    [InlineData("GET", "/events", "POST")]
    [InlineData("GET", "/api/signals", "POST")]
    [InlineData("GET", "/api/links", "POST")]
    [InlineData("POST", "/api/context", "GET")]
    [InlineData("PATCH", "/", "POST")]
    [InlineData("POST", "/health/live", "GET")]
    public async Task Refuses_another_method(string method, string address, string allowed)
    {
        using var answer = await SendAsync(new HttpMethod(method), address, null, null);
        await AssertProblemAsync(answer, HttpStatusCode.MethodNotAllowed, "methodNotAllowed");
        Assert.Contains(allowed, answer.Content.Headers.Allow);
    }

    [Theory]
    [InlineData("/nothing")]
    [InlineData("/placements/other")]
    [InlineData("/static/none.js")]
    [InlineData("/api")]
    public async Task Refuses_an_address_that_is_not_there(string address)
    {
        using var answer = await SendAsync(HttpMethod.Get, address, null, null);
        await AssertProblemAsync(answer, HttpStatusCode.NotFound, "notFound");
    }

    [Fact]
    public async Task Refuses_an_unknown_removal_key()
    {
        using var answer = await Service.PostAsync("/placements/page-background-worker/removed/" + new string('0', 64), [new("error", "ERROR_PLACEMENT_LOADING_OVERTIME")]);
        await AssertProblemAsync(answer, HttpStatusCode.NotFound, "notFound");
    }

    [Fact]
    public async Task Refuses_an_unknown_portal()
    {
        using var worker = await Service.WorkerAsync(accept: "application/json", change: f => f.Body["member_id"] = new string('0', 32));
        await AssertProblemAsync(worker, HttpStatusCode.Forbidden, "portalNotInstalled");
        using var link = await Service.LinkAsync(accept: "application/json", change: f => f.Body["member_id"] = new string('0', 32));
        await AssertProblemAsync(link, HttpStatusCode.Forbidden, "portalNotInstalled");
    }

    [Theory]
    [InlineData("text/html")]
    [InlineData("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")]
    [InlineData("application/json, text/html")]
    public async Task Answers_a_page_with_the_same_words_where_HTML_is_asked_for(string accept)
    {
        using var page = await Service.LinkAsync(accept: accept, change: f => f.Body.Remove("AUTH_ID"));
        using var problem = await Service.LinkAsync(accept: "application/json", change: f => f.Body.Remove("AUTH_ID"));

        Assert.Equal(HttpStatusCode.BadRequest, page.StatusCode);
        Assert.Equal("text/html", page.Content.Headers.ContentType?.MediaType);
        var text = WebUtility.HtmlDecode(await page.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        var said = await Service.JsonAsync(problem);
        Assert.Contains((string)said["title"]!, text, StringComparison.Ordinal);
        Assert.Contains((string)said["detail"]!, text, StringComparison.Ordinal);
        Assert.Contains((string)said["code"]!, text, StringComparison.Ordinal);
        Assert.Contains("AUTH_ID", text, StringComparison.Ordinal);
        Assert.DoesNotContain("frame-ancestors", page.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        Assert.False(page.Headers.Contains("X-Frame-Options"));
    }

    [Theory]
    [InlineData("*/*")]
    [InlineData("application/json")]
    [InlineData("image/png")]
    [InlineData("application/problem+json")]
    public async Task Answers_problem_json_to_everybody_else(string accept)
    {
        using var answer = await Service.LinkAsync(accept: accept, change: f => f.Body["DOMAIN"] = "");
        await AssertProblemAsync(answer, HttpStatusCode.BadRequest, "malformedRequest");
        var problem = await Service.JsonAsync(answer);
        Assert.Equal(["DOMAIN"], problem["errors"]!.AsObject().Select(e => e.Key));
        Assert.Equal(["type", "title", "status", "detail", "code", "errors"], problem.Select(m => m.Key));
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task Blames_no_field_where_there_are_too_many(string address)
    {
        var fields = Enumerable.Range(0, 256).Select(static i => KeyValuePair.Create($"f{i}", "1")).Prepend(new("event", "ONAPPINSTALL"));
        using var answer = await Service.PostAsync(address, fields);
        await AssertProblemAsync(answer, HttpStatusCode.BadRequest, "malformedRequest");
        var problem = await Service.JsonAsync(answer);
        Assert.Empty(problem["errors"]!.AsObject());
        Assert.Contains("256", (string?)problem["detail"], StringComparison.Ordinal);
        using var page = await Service.PostAsync(address, fields, "text/html");
        Assert.DoesNotContain("<li>", await page.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Refuses_in_the_users_language_whatever_its_case()
    {
        using var answer = await Service.LinkAsync(change: f =>
        {
            f.Query["LANG"] = "DE";
            f.Body["member_id"] = "x";
        });
        Assert.Contains("<html lang=\"de\">", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Never_repeats_what_was_sent_in_a_refusal()
    {
        using var answer = await Service.LinkAsync(change: f =>
        {
            f.Query["LANG"] = "<script>alert(1)</script>";
            f.Query["DOMAIN"] = "<img src=x>";
            f.Body["<b>"] = "<b>";
        });
        var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.DoesNotContain("alert(1)", text, StringComparison.Ordinal);
        Assert.DoesNotContain("<img", text, StringComparison.Ordinal);
        Assert.DoesNotContain("<b>", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Refuses_in_the_users_language()
    {
        using var answer = await Service.LinkAsync(change: f =>
        {
            f.Query["LANG"] = "ru";
            f.Body["member_id"] = new string('0', 32);
        });
        Assert.Contains("<html lang=\"ru\">", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string address, HttpContent? content, string? type)
    {
        using var request = new HttpRequestMessage(method, address) { Content = content };
        if (content is not null)
            content.Headers.ContentType = type is null ? null : MediaTypeHeaderValue.Parse(type);
        return await Service.Http.SendAsync(request, TestContext.Current.CancellationToken);
    }

    private static async Task AssertProblemAsync(HttpResponseMessage answer, HttpStatusCode status, string code)
    {
        Assert.Equal(status, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        Assert.Equal(code, await Service.CodeAsync(answer));
    }

    /// <summary>Its length is not known beforehand: it is sent in chunks.</summary>
    private sealed class Unsized(int length) : MemoryStream(Encoding.ASCII.GetBytes(new string('a', length)))
    {
        public override bool CanSeek => false;
    }
}
