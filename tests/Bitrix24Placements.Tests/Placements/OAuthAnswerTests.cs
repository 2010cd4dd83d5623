using System.Net;
using System.Text.Json.Nodes;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Placements;

/// <summary>Whatever the OAuth server says that is not a confirmation, nobody is believed.</summary>
public sealed class OAuthAnswerTests
{
    public static TheoryData<string, HttpStatusCode, string> OAuthAnswers => new()
    {
        { "garbage", HttpStatusCode.ServiceUnavailable, "bitrix24Unavailable" },
        { "garbage with an error's status", HttpStatusCode.ServiceUnavailable, "bitrix24Unavailable" },
        { "an empty object", HttpStatusCode.ServiceUnavailable, "bitrix24Unavailable" },
        { "a list", HttpStatusCode.ServiceUnavailable, "bitrix24Unavailable" },
        { "an internal error", HttpStatusCode.ServiceUnavailable, "bitrix24Unavailable" },
        { "a limit", HttpStatusCode.ServiceUnavailable, "bitrix24Unavailable" },
        { "a closed connection", HttpStatusCode.ServiceUnavailable, "bitrix24Unavailable" },
        { "a redirect", HttpStatusCode.ServiceUnavailable, "bitrix24Unavailable" },
        { "invalid_token with status 200", HttpStatusCode.Forbidden, "notVerified" },
        { "expired_token", HttpStatusCode.Forbidden, "notVerified" },
        { "an error nobody knows", HttpStatusCode.Forbidden, "notVerified" },
        { "another portal", HttpStatusCode.Forbidden, "notVerified" },
        { "another app", HttpStatusCode.Forbidden, "notVerified" },
        { "a portal's address that is none", HttpStatusCode.Forbidden, "notVerified" },
    };

    [Theory]
    [MemberData(nameof(OAuthAnswers))]
    public async Task Fails_closed_when_the_OAuth_server_answers_with(string what, HttpStatusCode status, string code)
    {
        await using var service = await Service.StartInstalledAsync();
        using var elsewhere = new SilentHost();
        service.Bitrix.Faults.Set("oauth:app.info", FaultOf(what, service, elsewhere));

        using var answer = await service.LinkAsync(accept: "application/json");

        Assert.Equal(status, answer.StatusCode);
        Assert.Equal(code, await Service.CodeAsync(answer));
        Assert.False(elsewhere.WasContacted);
    }

    private static Fault FaultOf(string what, Service service, SilentHost elsewhere) => what switch
    {
        "garbage" => Fault.Garbage(),
        "garbage with an error's status" => Fault.Garbage(502),
        "an empty object" => Fault.Answer("{}", contentType: "application/json"),
        "a list" => Fault.Answer("[{\"result\":{}}]", contentType: "application/json"),
        "an internal error" => Fault.Error("INTERNAL_SERVER_ERROR", 500),
        "a limit" => Fault.Error("QUERY_LIMIT_EXCEEDED", 503),
        "a closed connection" => Fault.Drop(),
        "a redirect" => Fault.Redirect(elsewhere.Url + "/rest/app.info/"),
        "invalid_token with status 200" => Fault.Error("invalid_token", 200),
        "expired_token" => Fault.Error("expired_token", 401),
        "an error nobody knows" => Fault.Error("SOMETHING_NEW", 200),
        "another portal" => Info(service, new string('0', 32)),
        "another app" => Info(service, clientId: "local.00000000000000.00000000"),
        _ => Info(service, endpoint: "ftp://user@example.com/?x"),
    };

    private static Fault Info(Service service, string? memberId = null, string? clientId = null, string? endpoint = null) => Fault.Answer(
        new JsonObject
        {
            ["result"] = new JsonObject
            {
                ["client_id"] = clientId ?? service.Portal.App.ClientId,
                ["user_id"] = 1,
                ["expires"] = DateTimeOffset.UtcNow.AddHours(1).ToUnixTimeSeconds(),
                ["install"] = new JsonObject { ["client_endpoint"] = endpoint ?? service.Portal.ClientEndpoint, ["member_id"] = memberId ?? service.Portal.MemberId },
            },
        }.ToJsonString(),
        contentType: "application/json");
}
