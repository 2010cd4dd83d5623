using System.Net;
using System.Text.Json.Nodes;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Signals;

public sealed class LinkTests(SharedInstalledService shared)
{
    private Service Service => shared.Service;

    public static TheoryData<string> RoundTrips =>
    [
        """{}""",
        """{"docId":"42"}""",
        """{"a":{"b":{"c":"deep"}},"list":["1","2"],"filter":{"stage":"NEW","tags":["urgent","Москва"]}}""",
        """{"text":"two words & more = less? #1 +2 100% a/b\\c \"'<>;:@,"}""",
        """{"имя ключа":"Значение","emoji":"😀","line":"one\ntwo\ttab"}""",
        """{"a&b":"x","a=b":"y","a b":"z","a.b":"d","%5B":"percent"}""",
        """{"empty":"","space":" ","plus":"+","percent":"%41"}""",
    ];

    [Fact]
    public async Task Thousands_of_values_are_no_parameters()
    {
        var values = new JsonArray([.. Enumerable.Range(0, 9000).Select(static i => JsonValue.Create(i % 10))]);
        foreach (var path in new[] { "/api/links", "/api/signals" })
        {
            using var answer = await Service.ApiAsync(path, new JsonObject { ["params"] = new JsonObject { ["a"] = values.DeepClone() } });
            Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
            Assert.Contains("8192 names and values", (string)(await Service.JsonAsync(answer))["detail"]!, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(8_000, HttpStatusCode.OK)]
    [InlineData(8_192, HttpStatusCode.BadRequest)]
    [InlineData(60_000, HttpStatusCode.BadRequest)]
    public async Task A_value_that_makes_the_link_longer_than_8_KB_is_refused(int length, HttpStatusCode expected)
    {
        using var answer = await Service.ApiAsync("/api/links", new JsonObject { ["params"] = new JsonObject { ["a"] = new string('x', length) } });
        Assert.Equal(expected, answer.StatusCode);
    }

    [Fact]
    public async Task A_long_name_above_thousands_of_nothings_is_noticed_at_once()
    {
        var nothings = new JsonArray([.. Enumerable.Range(0, 4000).Select(static _ => new JsonObject())]);
        using var answer = await Service.ApiAsync("/api/links", new JsonObject { ["params"] = new JsonObject { [new string(' ', 50_000)] = nothings } });
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
    }

    [Fact]
    public void A_long_name_above_thousands_of_nothings_is_not_copied_for_each()
    {
        var nothings = new JsonArray([.. Enumerable.Range(0, 4000).Select(static _ => new JsonArray())]);
        var parameters = new JsonObject { [new string('a', 8000)] = nothings };
        var links = Service.Get<DeepLinks>();
        links.Path(parameters);

        var before = GC.GetAllocatedBytesForCurrentThread();
        links.Path(parameters);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4 * 1024 * 1024);
    }

    [Fact]
    public async Task Are_what_the_vendor_documents()
    {
        var path = await PathAsync("""{"docId":42}""");
        Assert.Equal($"/marketplace/view/{Service.Bitrix.Options.ClientId}/?params[docId]=42", path);
        Assert.Equal($"/marketplace/view/{Service.Bitrix.Options.ClientId}/", await PathAsync("{}"));
    }

    [Theory]
    [MemberData(nameof(RoundTrips))]
    public async Task Bring_their_parameters_to_the_page_that_they_open(string parameters)
    {
        var path = await PathAsync(parameters);
        Assert.All(path, c => Assert.InRange(c, '!', '~'));

        var form = Service.Portal.LinkFields(path, userId: 2, uri: "/stream/");
        Assert.NotNull(form);
        using var opened = await Service.PostAsync(form, "application/json");

        var options = (await Service.JsonAsync(opened))["options"]!;
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(parameters), options["parameters"]), options.ToJsonString());
        Assert.Equal("/stream/", (string?)options["uri"]);
    }

    [Fact]
    public async Task Write_numbers_truth_values_and_null_as_PHP_reads_them()
    {
        var path = await PathAsync("""{"n":1.50,"yes":true,"no":false,"nothing":null}""");
        Assert.EndsWith("?params[n]=1.50&params[yes]=1&params[no]=0&params[nothing]=", path, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"params":[]}""")]
    [InlineData("""{"params":"docId=42"}""")]
    [InlineData("""{"params":{"":"a"}}""")]
    [InlineData("""{"params":{"a[b]":"c"}}""")]
    [InlineData("""{"params":{"a":{"b]":"c"}}}""")]
    [InlineData("""{"params":{"a":1,"a":2}}""")]
    [InlineData("""{"params":{"a":"\ud83d"}}""")]
    [InlineData("""[]""")]
    public async Task Are_refused_for_what_cannot_be_read_back(string body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/links") { Content = new StringContent(body, System.Text.Encoding.UTF8, "application/json") };
        request.Headers.Authorization = new("Bearer", Service.ApiKey);
        using var answer = await Service.Http.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal("malformedRequest", await Service.CodeAsync(answer));
    }

    [Fact]
    public async Task Are_refused_deeper_than_32_levels()
    {
        JsonNode deep = JsonValue.Create("x");
        for (var i = 0; i < 32; i++)
            deep = new JsonObject { ["a"] = deep };
        using var last = await Service.ApiAsync("/api/links", new JsonObject { ["params"] = deep.DeepClone() });
        Assert.Equal(HttpStatusCode.OK, last.StatusCode);
        using var tooDeep = await Service.ApiAsync("/api/links", new JsonObject { ["params"] = new JsonObject { ["a"] = deep.DeepClone() } });
        Assert.Equal(HttpStatusCode.BadRequest, tooDeep.StatusCode);
    }

    [Fact]
    public async Task Are_made_for_a_pages_session_too()
    {
        var session = await SessionTests.OpenAsync(Service, userId: 2);
        using var answer = await Service.ApiAsync("/api/links", new JsonObject { ["params"] = new JsonObject { ["docId"] = "7" } }, session);
        Assert.EndsWith("params[docId]=7", (string?)(await Service.JsonAsync(answer))["path"], StringComparison.Ordinal);
    }

    private async Task<string> PathAsync(string parameters)
    {
        using var answer = await Service.ApiAsync("/api/links", new JsonObject { ["params"] = JsonNode.Parse(parameters) });
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return (string)(await Service.JsonAsync(answer))["path"]!;
    }
}
