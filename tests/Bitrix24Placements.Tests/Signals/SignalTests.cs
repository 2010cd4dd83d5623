using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Signals;

public sealed class SignalTests(SharedInstalledService shared)
{
    private const string Method = "pull.application.event.add";

    private Service Service => shared.Service;

    public static TheoryData<string, string> Malformed => new()
    {
        { "{}", "command memberId" },
        { """{"memberId":"x","command":"openApplication"}""", "memberId" },
        { """{"memberId":42,"command":"openApplication"}""", "memberId" },
        { """{"memberId":"$","command":""}""", "command" },
        { """{"memberId":"$","command":null}""", "command" },
        { """{"memberId":"$","command":"two words"}""", "command" },
        { """{"memberId":"$","command":"Ж"}""", "command" },
        { """{"memberId":"$","command":"c","params":[]}""", "params" },
        { """{"memberId":"$","command":"c","params":"text"}""", "params" },
        { """{"memberId":"$","command":"c","userIds":[]}""", "userIds" },
        { """{"memberId":"$","command":"c","userIds":null}""", "userIds" },
        { """{"memberId":"$","command":"c","userIds":1}""", "userIds" },
        { """{"memberId":"$","command":"c","userIds":{"0":1}}""", "userIds" },
        { """{"memberId":"$","command":"c","userIds":[0]}""", "userIds" },
        { """{"memberId":"$","command":"c","userIds":[1,-2]}""", "userIds" },
        { """{"memberId":"$","command":"c","userIds":["1"]}""", "userIds" },
        { """{"memberId":"$","command":"c","userIds":[1.5]}""", "userIds" },
        { """{"memberId":"$","command":"c","userIds":[1e40]}""", "userIds" },
        { """{"memberId":"$","command":"c","userIds":[null]}""", "userIds" },
        { "[]", "" },
        { "null", "" },
        { "", "" },
        { "{", "" },
        { """{"memberId":"$","command":"c","command":"d"}""", "" },
        { """{"memberId":"$","command":"c","params":{"a":1,"a":2}}""", "" },
        { """{"memberId":"$","command":"c","params":{"a":"\ud83d"}}""", "" },
        { """{"memberId":"$","command":"c","params":{"\ude00":"a"}}""", "" },
    };

    [Fact]
    public async Task Reaches_the_users_who_are_named_with_its_parameters_verbatim()
    {
        var parameters = JsonNode.Parse("""{"docId":"42","n":1.50,"nested":{"list":[1,"2",null,true],"empty":{}},"text":"Ж & <b> \"quoted\" 😀","URI":"/x"}""")!;
        var before = Service.Portal.Push.Messages.Count;

        using var answer = await Service.ApiAsync("/api/signals", Signal("openApplication", parameters, [1, 2]));

        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        var message = Service.Portal.Push.Messages.Skip(before).Single(m => m.Command == "openApplication");
        Assert.True(JsonNode.DeepEquals(parameters, message.Params), message.Params.ToJsonString());
        Assert.Equal([1, 2], message.UserIds);
        Assert.Equal("application", message.ModuleId);
        var call = Service.Portal.Calls.Last(c => c.Method == Method && (string?)c.Params["COMMAND"] == "openApplication");
        Assert.Equal(1, call.UserId);
    }

    [Fact]
    public async Task Reaches_everyone_when_nobody_is_named()
    {
        using var answer = await Service.ApiAsync("/api/signals", new JsonObject { ["memberId"] = Service.Portal.MemberId.ToUpperInvariant(), ["command"] = "everyone" });

        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        var message = Service.Portal.Push.Messages.Single(m => m.Command == "everyone");
        Assert.Null(message.UserIds);
        Assert.Empty(message.Params.AsObject());
    }

    [Theory]
    [MemberData(nameof(Malformed))]
    public async Task Is_refused_when_malformed(string body, string fields)
    {
        using var answer = await PostAsync(body.Replace("$", Service.Portal.MemberId, StringComparison.Ordinal));

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        var problem = await Service.JsonAsync(answer);
        Assert.Equal("malformedRequest", (string?)problem["code"]);
        Assert.Equal(fields, string.Join(' ', (problem["errors"]?.AsObject() ?? []).Select(e => e.Key).Order(StringComparer.Ordinal)));
        Assert.DoesNotContain(Service.Portal.Push.Messages, m => m.Command is "c" or "d");
    }

    [Fact]
    public async Task Is_refused_when_too_large_too_deep_or_no_JSON()
    {
        using var large = await PostAsync($$"""{"memberId":"{{Service.Portal.MemberId}}","command":"c","params":{"a":"{{new string('a', 70_000)}}"} }""");
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, large.StatusCode);
        using var deep = await PostAsync(string.Concat(Enumerable.Repeat("{\"a\":", 500)) + "1" + new string('}', 500));
        Assert.Equal(HttpStatusCode.BadRequest, deep.StatusCode);
        using var form = await PostAsync("memberId=1", "application/x-www-form-urlencoded");
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, form.StatusCode);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("Bearer")]
    [InlineData("Bearer ")]
    [InlineData("Bearer another-key")]
    [InlineData("Bearer a-key-of-the-users-own-backen")]
    [InlineData("Basic a-key-of-the-users-own-backend-1")]
    [InlineData("a-key-of-the-users-own-backend-1")]
    public async Task Is_refused_without_a_valid_key(string? authorization)
    {
        foreach (var path in new[] { "/api/signals", "/api/links" })
        {
            using var answer = await PostAsync("{}", path: path, authorization: authorization);
            Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
            Assert.Equal("unauthorized", await Service.CodeAsync(answer));
            Assert.Equal("Bearer", answer.Headers.WwwAuthenticate.Single().Scheme);
        }
    }

    [Fact]
    public async Task Is_404_for_an_unknown_portal()
    {
        using var answer = await Service.ApiAsync("/api/signals", new JsonObject { ["memberId"] = new string('0', 32), ["command"] = "c" });
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Equal("portalNotInstalled", await Service.CodeAsync(answer));
    }

    private JsonObject Signal(string command, JsonNode? parameters = null, int[]? userIds = null)
    {
        var signal = new JsonObject { ["memberId"] = Service.Portal.MemberId, ["command"] = command };
        if (parameters is not null)
            signal["params"] = parameters.DeepClone();
        if (userIds is not null)
            signal["userIds"] = new JsonArray([.. userIds.Select(id => JsonValue.Create(id))]);
        return signal;
    }

    private async Task<HttpResponseMessage> PostAsync(string body, string type = "application/json", string path = "/api/signals", string? authorization = "Bearer " + Service.ApiKey)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, new MediaTypeHeaderValue(type)) };
        if (authorization is not null)
            request.Headers.TryAddWithoutValidation("Authorization", authorization);
        return await Service.Http.SendAsync(request, TestContext.Current.CancellationToken);
    }
}
