using System.Net;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Placements;

/// <summary>Development only: launches are taken as they come. Everything else is verified even then.</summary>
public sealed class VerificationOffTests(SharedUnverifiedService shared)
{
    private Service Service => shared.Service;

    [Fact]
    public async Task Pages_of_unknown_portals_are_shown_and_carry_no_session()
    {
        using var link = await Service.LinkAsync();
        Assert.Equal(HttpStatusCode.OK, link.StatusCode);
        Assert.Contains("data-session=\"\"", await link.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.EndsWith("frame-ancestors " + Service.Portal.Url, link.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        using var worker = await Service.WorkerAsync();
        Assert.Equal(HttpStatusCode.OK, worker.StatusCode);
        using var app = await Service.AppPageAsync();
        Assert.Equal(HttpStatusCode.OK, app.StatusCode);
    }

    [Fact]
    public async Task Nobody_is_named()
    {
        using var answer = await Service.LinkAsync(accept: "application/json");
        var context = await Service.JsonAsync(answer);
        Assert.Equal("none", (string?)context["verification"]);
        Assert.Null(context["userId"]);
    }

    [Theory]
    [InlineData("Production")]
    [InlineData("Staging")]
    public async Task The_service_does_not_start_so_anywhere_else(string environment)
    {
        var run = await FailedStart.RunAsync(new() { ["ASPNETCORE_ENVIRONMENT"] = environment, ["Bitrix24__Verification"] = "Off" });
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("Bitrix24:Verification", run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Installations_are_verified_nevertheless()
    {
        var form = Service.Portal.InstallFields(handler: new Uri(Service.Url, "/install").AbsoluteUri);
        form.Body["AUTH_ID"] = "invented";
        using var wizard = await Service.PostAsync(form, "application/json");
        Assert.Equal(HttpStatusCode.Forbidden, wizard.StatusCode);

        var fields = Service.Portal.EventFields("ONAPPINSTALL");
        fields["auth[access_token]"] = "invented";
        using var installed = await Service.PostAsync("/events", fields);
        Assert.Equal(HttpStatusCode.Forbidden, installed.StatusCode);
        using var uninstalled = await Service.PostAsync("/events", Service.Portal.EventFields("ONAPPUNINSTALL"));
        Assert.Equal(HttpStatusCode.Forbidden, uninstalled.StatusCode);
        using var signal = await Service.ApiAsync("/api/signals", new System.Text.Json.Nodes.JsonObject(), key: null);
        Assert.Equal(HttpStatusCode.Unauthorized, signal.StatusCode);
    }
}
