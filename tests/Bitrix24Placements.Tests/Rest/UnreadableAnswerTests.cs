using System.Net;
using System.Text.Json.Nodes;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Tests.Installation;

namespace Bitrix24Placements.Tests.Rest;

/// <summary>A portal's answer is a claim as well: whatever it holds, it is an error of the call and none of the service.</summary>
public sealed class UnreadableAnswerTests
{
    /// <summary>A name that is half of a surrogate pair; long, as short ones are compared without being read.</summary>
    private const string Half = "\"\\ud800aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\":1";

    public static TheoryData<Fault> Answers =>
    [
        Fault.Answer("{" + Half + "}"),
        Fault.Answer("{\"result\":{\"error\":\"X\"," + Half + "}}"),
        Fault.Answer("{\"result\":{" + Half + "}}"),
        Fault.Redirect("urn:xprofile"),
        Fault.Redirect("https:///profile"),
    ];

    [Theory, MemberData(nameof(Answers), DisableDiscoveryEnumeration = true)]
    public async Task Is_an_error_of_the_call(Fault answer)
    {
        await using var service = await RestTest.StartAsync();
        service.Bitrix.Faults.Set("rest:profile", answer);
        service.Bitrix.Faults.Set("rest:pull.application.event.add", answer);

        using (var wizard = await service.PostAsync(service.Wizard(), "application/json"))
            Assert.Contains(wizard.StatusCode, new[] { HttpStatusCode.OK, HttpStatusCode.BadGateway, HttpStatusCode.ServiceUnavailable });
        using (var signal = await service.ApiAsync("/api/signals", new JsonObject { ["memberId"] = service.Portal.MemberId, ["command"] = "ping" }))
            Assert.DoesNotContain(signal.StatusCode, new[] { HttpStatusCode.InternalServerError, HttpStatusCode.OK });
        Assert.DoesNotContain(service.Logs, static l => l.StartsWith("Error", StringComparison.Ordinal));
    }
}
