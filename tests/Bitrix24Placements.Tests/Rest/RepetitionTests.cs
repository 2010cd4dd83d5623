using System.Text.Json.Nodes;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Rest;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Rest;

public sealed class RepetitionTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("placement.list")]
    [InlineData("pull.application.event.add")]
    public async Task The_limit_of_calls_a_second_is_ridden_out(string method)
    {
        await using var service = await RestTest.StartAsync();
        service.Bitrix.Faults.Next("rest:" + method, Fault.Error("QUERY_LIMIT_EXCEEDED", 503), 2);

        var result = await service.Get<RestClient>().CallAsync(service.Portal.Id, new RestCall(method, new JsonObject { ["COMMAND"] = "ping" }), Token);

        Assert.True(result.Ok, result.Error?.ToString());
        Assert.Equal(["QUERY_LIMIT_EXCEEDED", "QUERY_LIMIT_EXCEEDED", "ok"], service.Outcomes(method));
    }

    [Fact]
    public async Task A_method_over_its_operating_time_is_not_asked_until_the_portal_allows_it_again()
    {
        await using var service = await RestTest.StartAsync();
        var reset = DateTimeOffset.UtcNow.AddMinutes(5).ToUnixTimeSeconds();
        service.Bitrix.Faults.Next("rest:placement.list", Fault.Error("OPERATION_TIME_LIMIT", 429, more: new JsonObject { ["time"] = new JsonObject { ["operating_reset_at"] = reset } }));

        for (var i = 0; i < 10; i++)
            Assert.Equal((RestErrorKind.Refused, "OPERATION_TIME_LIMIT"), await service.CallAsync("placement.list") is { Error: { } e } ? (e.Kind, e.Code) : default);

        Assert.Single(service.Outcomes("placement.list"));
        Assert.True((await service.CallAsync("placement.get")).Ok);
        Assert.Equal(reset, service.Get<PortalLimits>().BlockedUntil(service.Portal.Id, "placement.list")!.Value.ToUnixTimeSeconds());
    }

    [Theory]
    [InlineData("OVERLOAD_LIMIT", 503)]
    [InlineData("ACCESS_DENIED", 403)]
    [InlineData("insufficient_scope", 403)]
    [InlineData("user_access_error", 403)]
    [InlineData("WRONG_AUTH_TYPE", 403)]
    [InlineData("INVALID_CREDENTIALS", 403)]
    [InlineData("PORTAL_DELETED", 410)]
    [InlineData("ERROR_METHOD_NOT_FOUND", 200)]
    [InlineData("ACCESS_DENIED", 200)]
    public async Task A_hopeless_answer_is_not_repeated(string code, int status)
    {
        await using var service = await RestTest.StartAsync();
        service.Bitrix.Faults.Set("rest:placement.list", Fault.Error(code, status));

        var result = await service.CallAsync("placement.list");

        Assert.Equal((RestErrorKind.Refused, code), (result.Error!.Kind, result.Error.Code));
        Assert.Single(service.Outcomes("placement.list"));
    }

    [Fact]
    public async Task A_refusal_inside_the_result_is_a_refusal()
    {
        await using var service = await RestTest.StartAsync();
        service.Bitrix.Faults.Next("rest:placement.list", Fault.Answer("""{"result":{"error":"EMPTY_ERROR_HANDLER_URL","error_description":"Empty option"},"time":{}}"""));

        Assert.Equal("EMPTY_ERROR_HANDLER_URL", (await service.CallAsync("placement.list")).Error!.Code);
    }

    [Theory]
    [InlineData("""{"error":{"code":"BITRIX_REST_V3_EXCEPTION_VALIDATION_REQUESTVALIDATIONEXCEPTION","message":"Invalid","validation":[{"field":"id","message":"x"}]}}""",
        "BITRIX_REST_V3_EXCEPTION_VALIDATION_REQUESTVALIDATIONEXCEPTION", "Invalid")]
    [InlineData("""{"error":{"message":"Something"}}""", "unknownError", "Something")]
    public async Task An_error_that_is_an_object_is_a_refusal(string answer, string code, string description)
    {
        await using var service = await RestTest.StartAsync();
        service.Bitrix.Faults.Set("rest:user.update", Fault.Answer(answer, 400));

        var error = (await service.CallAsync("user.update")).Error!;

        Assert.Equal((RestErrorKind.Refused, code, description), (error.Kind, error.Code, error.Description));
    }

    [Fact]
    public async Task Parameters_that_are_no_object_and_results_that_are_no_value_are_not_passed_over()
    {
        await using var service = await RestTest.StartAsync();
        var rest = service.Get<RestClient>();
        service.Bitrix.Faults.Set("rest:user.get", Fault.Answer("""{"result":null}"""));

        await Assert.ThrowsAsync<ArgumentException>(() => rest.CallAsync<bool>(service.Portal.Id, "user.update", new[] { 1 }, cancellationToken: Token));
        await Assert.ThrowsAsync<ArgumentException>(() => rest.CallAsync<bool>(service.Portal.Id, "user.update", "text", cancellationToken: Token));
        Assert.Equal("unexpectedResult", (await rest.CallAsync<Profile>(service.Portal.Id, "user.get", cancellationToken: Token)).Error!.Code);
        Assert.Equal("unexpectedResult", (await rest.CallAsync<int>(service.Portal.Id, "user.get", cancellationToken: Token)).Error!.Code);
        Assert.True((await rest.CallAsync<int?>(service.Portal.Id, "user.get", cancellationToken: Token)).Ok);
    }

    [Fact]
    public async Task What_reads_is_repeated_after_a_servers_fault()
    {
        await using var service = await RestTest.StartAsync();
        service.Bitrix.Faults.Next("rest:placement.list", Fault.Error("INTERNAL_SERVER_ERROR", 500));
        service.Bitrix.Faults.Next("rest:placement.list", Fault.DropAfter());

        Assert.True((await service.CallAsync("placement.list")).Ok);
        Assert.Equal(3, service.Outcomes("placement.list").Length);
    }

    [Fact]
    public async Task What_may_have_been_done_is_not_done_again()
    {
        await using var service = await RestTest.StartAsync();
        service.Bitrix.Faults.Next("rest:pull.application.event.add", Fault.DropAfter());

        var result = await service.Get<RestClient>().CallAsync(service.Portal.Id, new RestCall("pull.application.event.add", new JsonObject { ["COMMAND"] = "once" }), Token);

        Assert.Equal(RestErrorKind.OutcomeUnknown, result.Error!.Kind);
        Assert.Single(service.Outcomes("pull.application.event.add"));
    }

    [Fact]
    public async Task What_its_caller_calls_safe_is_repeated_and_what_he_forbids_is_not()
    {
        await using var service = await RestTest.StartAsync();
        var rest = service.Get<RestClient>();
        service.Bitrix.Faults.Next("rest:pull.application.event.add", Fault.DropAfter());
        Assert.True((await rest.CallAsync<bool>(service.Portal.Id, "pull.application.event.add", new { COMMAND = "again" }, Repeat.Safe, Token)).Ok);

        service.Bitrix.Faults.Next("rest:placement.list", Fault.Drop());
        Assert.Equal(RestErrorKind.OutcomeUnknown, (await rest.CallAsync(service.Portal.Id, new RestCall("placement.list") { Repeat = Repeat.Never }, Token)).Error!.Kind);
        Assert.Single(service.Outcomes("placement.list"));
    }

    [Fact]
    public async Task A_silent_portal_holds_nobody_beyond_his_deadline()
    {
        await using var service = await RestTest.StartAsync();
        service.Bitrix.Faults.Set("rest:placement.list", Fault.Hang());
        var started = TimeProvider.System.GetTimestamp();

        var result = await service.CallAsync("placement.list", deadline: TimeSpan.FromSeconds(1));

        Assert.Equal("bitrix24Unavailable", result.Error!.Code);
        Assert.InRange(TimeProvider.System.GetElapsedTime(started), TimeSpan.FromSeconds(0.9), TimeSpan.FromSeconds(4));
    }

    [Theory]
    [InlineData("<html>{\"result\":", 200)]
    [InlineData("", 200)]
    [InlineData("", 204)]
    [InlineData("[]", 200)]
    [InlineData("\"text\"", 200)]
    [InlineData("null", 502)]
    [InlineData("{}", 200)]
    public async Task An_answer_without_sense_is_an_unknown_outcome(string body, int status)
    {
        await using var service = await RestTest.StartAsync();
        service.Bitrix.Faults.Set("rest:user.update", Fault.Answer(body, status));

        var result = await service.CallAsync("user.update");

        Assert.Equal(RestErrorKind.OutcomeUnknown, result.Error!.Kind);
        Assert.Single(service.Outcomes("user.update"));
    }

    [Fact]
    public async Task An_answer_that_is_too_large_is_not_read_to_its_end()
    {
        await using var service = await RestTest.StartAsync();
        service.Bitrix.Faults.Set("rest:user.update", Fault.Answer("{\"result\":\"" + new string('x', 17 * 1024 * 1024) + "\"}"));

        var result = await service.CallAsync("user.update");

        Assert.Equal(RestErrorKind.OutcomeUnknown, result.Error!.Kind);
        Assert.Contains("too large", result.Error.Description, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_portal_writes_into_its_errors_stays_one_short_line()
    {
        await using var service = await RestTest.StartAsync();
        service.Bitrix.Faults.Set("rest:user.update", Fault.Error("EVIL\r\n<script>" + new string('x', 500), 400, "line one\r\nWarning: forged" + new string('y', 5000)));

        var error = (await service.CallAsync("user.update")).Error!;

        Assert.True(error.Code.Length <= 64 && error.Description.Length <= 300);
        Assert.DoesNotContain(error.Code + error.Description, static c => char.IsControl(c) || c == '<');
    }

    [Fact]
    public async Task Any_method_is_called_with_an_anonymous_object_and_read_as_a_record()
    {
        await using var service = await RestTest.StartAsync();
        var rest = service.Get<RestClient>();

        var profile = await rest.CallAsync<Profile>(service.Portal.Id, "profile", cancellationToken: Token);
        var sent = await rest.CallAsync<bool>(service.Portal.Id, "pull.application.event.add",
            new { COMMAND = "open", PARAMS = new { docId = 42, tags = new[] { "a", "ä" } }, USER_ID = new[] { 1, 2 } }, cancellationToken: Token);
        var wrong = await rest.CallAsync<int[]>(service.Portal.Id, "profile", cancellationToken: Token);

        Assert.Equal(new Profile("1", true, "Alice"), profile.Value);
        Assert.True(sent.Value);
        var parameters = service.Portal.Calls.Last(static c => c.Method == "pull.application.event.add").Params;
        Assert.Equal("""{"COMMAND":"open","PARAMS":{"docId":42,"tags":["a","ä"]},"USER_ID":[1,2]}""", JsonContentOf(parameters));
        Assert.Equal("unexpectedResult", wrong.Error!.Code);
        Assert.StartsWith("Bitrix24Placements/", service.Portal.Calls[^1].UserAgent, StringComparison.Ordinal);
    }

    private static string JsonContentOf(JsonObject parameters) =>
        parameters.ToJsonString(new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    private sealed record Profile(string Id, bool Admin, string Name);
}
