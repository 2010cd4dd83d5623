using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Placements;

/// <summary>What stands in the pages, and in the headers that guard them.</summary>
public sealed partial class PageTests(SharedInstalledService shared)
{
    private const string Hostile = "</script><script>alert(1)</script>\"'><img src=x onerror=alert(2)>&amp;{{7*7}}\u2028";

    public static TheoryData<string> Pages => ["REST_APP_URI", "PAGE_BACKGROUND_WORKER", "DEFAULT", "install"];

    public static TheoryData<string, string, string> Languages => new()
    {
        { "en", "en", "Opened by a link" },
        { "ru", "ru", "" },
        { "de", "de", "" },
        { "la", "es", "" },
        { "br", "pt-BR", "" },
        { "es", "es", "" },
        { "pt", "pt-BR", "" },
        { "DE", "de", "" },
        { "tc", "en", "Opened by a link" },
    };

    private Service Service => shared.Service;

    [Theory]
    [MemberData(nameof(Pages))]
    public async Task Are_framed_by_exactly_the_portal(string page)
    {
        using var answer = await OpenAsync(page);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("text/html; charset=utf-8", answer.Content.Headers.ContentType?.ToString());
        var policy = Policy(answer);
        Assert.Equal(Service.Portal.Url, policy["frame-ancestors"]);
        Assert.Equal("'none'", policy["default-src"]);
        Assert.Equal("'none'", policy["base-uri"]);
        Assert.DoesNotContain("unsafe", string.Join(' ', policy.Values), StringComparison.Ordinal);
        Assert.False(answer.Headers.Contains("X-Frame-Options"));
        Assert.Equal("nosniff", answer.Headers.GetValues("X-Content-Type-Options").Single());
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public async Task Hold_no_inline_script_without_a_hash_and_no_inline_handler(string page)
    {
        using var answer = await OpenAsync(page);
        var html = await TextAsync(answer);
        var scripts = Policy(answer)["script-src"];
        foreach (Match script in InlineScript().Matches(html))
        {
            var hash = "'sha256-" + Convert.ToBase64String(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(script.Groups[1].Value))) + "'";
            Assert.Contains(hash, scripts, StringComparison.Ordinal);
        }

        Assert.DoesNotMatch(@"\son[a-z]+\s*=", html);
        Assert.DoesNotContain("style=", html, StringComparison.Ordinal);
        Assert.DoesNotContain("javascript:", html, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public async Task Hold_no_token_of_any_kind(string page)
    {
        foreach (var accept in new[] { "text/html", "application/json" })
        {
            var form = Form(page);
            using var answer = await Service.PostAsync(form, accept);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            var all = answer + await TextAsync(answer);
            foreach (var secret in new[] { form.AccessToken, form.RefreshToken, form.Body["APPLICATION_TOKEN"], Service.Bitrix.Options.ClientSecret, Service.ApiKey })
                Assert.DoesNotContain(secret, all, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("REST_APP_URI")]
    [InlineData("DEFAULT")]
    public async Task That_carry_a_session_are_not_stored(string page)
    {
        using var answer = await OpenAsync(page);
        Assert.Matches("data-session=\"[A-Za-z0-9_-]{40,}\"", await TextAsync(answer));
        Assert.True(answer.Headers.CacheControl?.NoStore);
    }

    [Fact]
    public async Task Of_the_worker_wait_for_nothing_but_their_own_HTML()
    {
        using var answer = await OpenAsync("PAGE_BACKGROUND_WORKER");
        var html = await TextAsync(answer);
        Assert.DoesNotMatch(@"<(script|link|img|iframe|style)[^>]*(src|href)\s*=", html);
        Assert.DoesNotContain("<link", html, StringComparison.Ordinal);
        Assert.DoesNotContain("@import", html, StringComparison.Ordinal);
        Assert.DoesNotContain("data-session", html, StringComparison.Ordinal);
        var connect = Policy(answer)["connect-src"].Split(' ');
        Assert.Superset(new HashSet<string> { "'self'", Service.Portal.Url, "https:", "wss:" }, connect.ToHashSet());
    }

    [Fact]
    public async Task Of_the_worker_are_the_same_for_every_user_of_a_language()
    {
        using var one = await Service.WorkerAsync(userId: 1, change: f => f.Query["LANG"] = "de");
        using var two = await Service.WorkerAsync(userId: 2, change: f =>
        {
            f.Query["LANG"] = "de";
            f.Body["PLACEMENT_OPTIONS"] = "{\"URI\":\"\\/crm\\/\"}";
        });
        Assert.Equal(await TextAsync(one), await TextAsync(two));
    }

    [Fact]
    public async Task Encode_everything_that_a_link_brings()
    {
        var options = new JsonObject { [Hostile] = Hostile, ["nested"] = new JsonObject { [Hostile] = Hostile }, ["URI"] = "javascript:" + Hostile };
        using var answer = await Service.LinkAsync(options: options, change: f =>
        {
            f.Query["handler"] = Hostile;
            f.Body["status"] = "\"><script>";
        });
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var html = await TextAsync(answer);
        Assert.DoesNotContain("<img src=x", html, StringComparison.Ordinal);
        Assert.DoesNotContain("<script>alert", html, StringComparison.Ordinal);
        Assert.DoesNotMatch("href=\"[^\"]*javascript:", html);
        Assert.Contains(Hostile, WebUtility.HtmlDecode(html), StringComparison.Ordinal);
    }

    [Fact]
    public async Task As_JSON_keep_hostile_parameters_as_they_came()
    {
        using var answer = await Service.LinkAsync(accept: "application/json", options: new() { [Hostile] = Hostile });
        Assert.Equal("application/json", answer.Content.Headers.ContentType?.MediaType);
        Assert.Equal("nosniff", answer.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.Equal(Hostile, (string?)(await Service.JsonAsync(answer))["options"]!["parameters"]![Hostile]);
    }

    [Theory]
    [InlineData("application/json", true)]
    [InlineData("application/json;q=0.9, */*;q=0.1", true)]
    [InlineData("*/*", false)]
    [InlineData("text/html, application/json", false)]
    [InlineData("image/avif", false)]
    [InlineData("text/plain, application/json; charset=utf-8", true)]
    [InlineData("application/json-seq", false)]
    [InlineData("application/jsonpath", false)]
    public async Task Are_JSON_only_where_that_is_named_and_HTML_is_not(string accept, bool json)
    {
        foreach (var answer in new[] { await Service.LinkAsync(accept: accept), await Service.WorkerAsync(accept: accept) })
        {
            Assert.Equal(json ? "application/json" : "text/html", answer.Content.Headers.ContentType?.MediaType);
            answer.Dispose();
        }
    }

    [Fact]
    public void Have_all_their_texts_in_every_language()
    {
        var texts = new Texts();
        foreach (var language in Texts.Languages)
            Assert.Equal(texts.Keys("en").Order(), texts.Keys(language).Order());
    }

    [Theory]
    [MemberData(nameof(Languages))]
    public async Task Speak_the_users_language(string lang, string html, string title)
    {
        using var link = await Service.LinkAsync(change: f => f.Query["LANG"] = lang);
        using var app = await Service.AppPageAsync(change: f => f.Query["LANG"] = lang);
        using var worker = await Service.WorkerAsync(change: f => f.Query["LANG"] = lang);
        using var english = await Service.LinkAsync(change: f => f.Query["LANG"] = "en");
        var text = await TextAsync(link);
        Assert.Contains($"<html lang=\"{html}\">", text, StringComparison.Ordinal);
        Assert.Contains($"<html lang=\"{html}\">", await TextAsync(app), StringComparison.Ordinal);
        Assert.Contains($"<html lang=\"{html}\">", await TextAsync(worker), StringComparison.Ordinal);
        Assert.Contains(title, text, StringComparison.Ordinal);
        Assert.Equal(html == "en", Heading().Match(text).Value == Heading().Match(await TextAsync(english)).Value);
    }

    [Fact]
    public async Task At_the_root_tell_what_to_paste_into_Bitrix24()
    {
        using var answer = await Service.Http.GetAsync("/", TestContext.Current.CancellationToken);
        var html = WebUtility.HtmlDecode(await TextAsync(answer));
        foreach (var part in new[] { Service.Url + "install", Service.Url + "placements/rest-app-uri", Service.Url + "placements/page-background-worker", Service.Url + "events", "placement", "pull" })
            Assert.Contains(part, html, StringComparison.Ordinal);
        Assert.DoesNotContain(Service.Bitrix.Options.ClientSecret, html, StringComparison.Ordinal);
        Assert.DoesNotContain("removed/", html, StringComparison.Ordinal);
    }

    private LaunchForm Form(string page) => page switch
    {
        "install" => Service.Portal.InstallFields(handler: new Uri(Service.Url, "/install").AbsoluteUri),
        "DEFAULT" => Service.Portal.LaunchFields("DEFAULT", handler: Service.Url.AbsoluteUri),
        _ => Service.Portal.LaunchFields(page, options: new() { ["docId"] = "42" }, uri: "/stream/"),
    };

    private Task<HttpResponseMessage> OpenAsync(string page) => Service.PostAsync(Form(page));

    private static Task<string> TextAsync(HttpResponseMessage answer) => answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

    private static Dictionary<string, string> Policy(HttpResponseMessage answer) =>
        answer.Headers.GetValues("Content-Security-Policy").Single().Split(';', StringSplitOptions.TrimEntries).ToDictionary(d => d.Split(' ')[0], d => d[(d.IndexOf(' ', StringComparison.Ordinal) + 1)..]);

    [GeneratedRegex("<script>(.*?)</script>", RegexOptions.Singleline)]
    private static partial Regex InlineScript();

    [GeneratedRegex("<h1>.*?</h1>", RegexOptions.Singleline)]
    private static partial Regex Heading();
}
