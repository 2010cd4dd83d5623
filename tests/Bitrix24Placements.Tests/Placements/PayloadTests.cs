using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bitrix24Placements.Placements;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Placements;

public sealed class PayloadTests(SharedUnverifiedService unverified)
{
    public static TheoryData<string> Accepted => Payload.Names("Accepted");

    public static TheoryData<string> Refused => Payload.Names("Refused");

    [Theory]
    [MemberData(nameof(Accepted))]
    public void Reads_every_field_with_its_type(string name)
    {
        var payload = Payload.Read(name);

        var (post, rejection) = payload.Parse();

        Assert.True(rejection is null, string.Join("; ", rejection?.Errors ?? new Dictionary<string, string>()));
        var context = payload.Expected["context"]!;
        Assert.Equal((string?)context["placement"], post!.Placement);
        Assert.Equal((string?)context["portal"]!["memberId"], post.MemberId);
        Assert.Equal((string?)context["portal"]!["domain"], post.Domain);
        Assert.Equal((string?)context["portal"]!["protocol"], post.Protocol);
        Assert.Equal((string?)context["language"], post.Language);
        Assert.Equal((string?)context["applicationSid"], post.ApplicationSid);
        Assert.Equal((string?)context["applicationStatus"], post.ApplicationStatus);
        AssertSame(context["handlerQuery"], JsonSerializer.SerializeToNode(post.HandlerQuery));
        AssertOptions(context, post.Options);
        var tokens = payload.Expected["tokens"]!;
        Assert.Equal((int?)tokens["accessExpires"], post.AccessExpires);
        Assert.Equal((string?)tokens["serverEndpoint"], post.ServerEndpoint);
        Assert.Equal((bool)tokens["hasAccessToken"]!, !post.AccessToken.IsEmpty);
        Assert.Equal((bool)tokens["hasRefreshToken"]!, !post.RefreshToken.IsEmpty);
        Assert.Equal((bool)tokens["hasApplicationToken"]!, !post.ApplicationToken.IsEmpty);
        Assert.DoesNotContain("f107", post.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Refused))]
    public void Names_the_offending_fields_and_no_other(string name)
    {
        var payload = Payload.Read(name);

        var (post, rejection) = payload.Parse();

        Assert.Null(post);
        Assert.Equal(ExpectedErrors(payload), rejection!.Errors!.Keys.Order(StringComparer.Ordinal));
        // What is wrong with the form as a whole has no name.
        Assert.Equal(rejection.Errors.Count == 0, rejection.Detail is not null);
        Assert.All(rejection.Errors.Values, message => Assert.EndsWith(".", message, StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Accepted))]
    public async Task Answers_the_launch_context_of_what_was_sent(string name)
    {
        var payload = Payload.Read(name);

        using var answer = await payload.SendAsync(unverified.Service.Http);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("application/json", answer.Content.Headers.ContentType?.MediaType);
        var context = await Service.JsonAsync(answer);
        var expected = payload.Expected["context"]!.AsObject();
        foreach (var (member, value) in expected)
            AssertSame(value, context[member]);
        if (payload.Path != "/")
            Assert.Equal(expected.Select(m => m.Key), context.Select(m => m.Key));
    }

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task Answers_400_with_the_offending_fields(string name)
    {
        var payload = Payload.Read(name);

        using var answer = await payload.SendAsync(unverified.Service.Http);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        var problem = await Service.JsonAsync(answer);
        Assert.Equal("malformedRequest", (string?)problem["code"]);
        Assert.Equal(400, (int?)problem["status"]);
        Assert.Equal(ExpectedErrors(payload), problem["errors"]!.AsObject().Select(e => e.Key).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Keeps_numbers_as_they_came()
    {
        using var answer = await Payload.Read("Accepted/nested-parameters").SendAsync(unverified.Service.Http);

        var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Contains("123456789012345678901234567890", text, StringComparison.Ordinal);
        Assert.Contains("1.50", text, StringComparison.Ordinal);
    }

    private static IEnumerable<string> ExpectedErrors(Payload payload) => payload.Expected["errors"]!.AsArray().Select(e => (string)e!).Order(StringComparer.Ordinal);

    private static void AssertOptions(JsonNode context, byte[] options)
    {
        if (context["options"] is not { } expected)
            return;
        var read = options.Length == 0 ? [] : (JsonObject)JsonNode.Parse(options)!;
        Assert.Equal((string?)expected["uri"], (string?)read["URI"]);
        read.Remove("URI");
        if ((string?)context["placement"] == PlacementCatalogue.RestAppUri)
            AssertSame(expected["parameters"], read);
    }

    private static void AssertSame(JsonNode? expected, JsonNode? actual) =>
        Assert.True(JsonNode.DeepEquals(expected, actual), $"Expected {expected?.ToJsonString()}, got {actual?.ToJsonString()}");
}
