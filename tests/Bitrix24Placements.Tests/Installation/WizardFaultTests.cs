using Bitrix24Placements.Portals;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Installation;

/// <summary>What a portal can answer to placement.bind, and what becomes of it.</summary>
public sealed class WizardFaultTests
{
    private const string AlreadyBound = "Unable to set placement handler: Handler already binded";

    [Theory]
    [InlineData("ERROR_ARGUMENT", 400)]
    [InlineData("ERROR_WRONG_HANDLER_URL", 400)]
    [InlineData("ERROR_WRONG_HANDLER_URL", 200)]
    [InlineData("ERROR_UNSUPPORTED_PROTOCOL", 400)]
    [InlineData("ERROR_PLACEMENT_NOT_FOUND", 400)]
    [InlineData("ERROR_PLACEMENT_NOT_FOUND", 200)]
    [InlineData("ERROR_PLACEMENT_USER_MODE", 400)]
    [InlineData("EMPTY_ERROR_HANDLER_URL", 200)]
    [InlineData("ACCESS_DENIED", 403)]
    [InlineData("insufficient_scope", 403)]
    [InlineData("user_access_error", 403)]
    [InlineData("WRONG_AUTH_TYPE", 403)]
    [InlineData("INVALID_CREDENTIALS", 403)]
    [InlineData("OVERLOAD_LIMIT", 503)]
    [InlineData("PORTAL_DELETED", 410)]
    [InlineData("ERROR_SOMETHING_NEW", 400)]
    public async Task A_refused_placement_fails_with_the_portals_code_the_other_is_registered_and_a_retry_finishes(string code, int status)
    {
        await using var service = await Service.StartAsync();
        service.Bitrix.Faults.Next(Steps.Bind, Fault.Error(code, status));

        var outcome = await service.InstallAsync();

        Assert.False((bool)outcome["finished"]!);
        Assert.Equal(("failed", code), ((string)outcome.Placement(Steps.Link)["state"]!, (string)outcome.Placement(Steps.Link)["error"]!));
        Assert.Equal("registered", (string)outcome.Placement(Steps.Worker)["state"]!);
        Assert.Equal(2, service.Portal.Count("placement.bind"));
        await service.InstallAndFinishAsync();
        Assert.True(service.IsRegistered());
    }

    [Theory]
    [InlineData("""{"result":{"error":"EMPTY_ERROR_HANDLER_URL","error_description":"Empty option errorHandlerUrl"},"time":{"operating":0}}""")]
    [InlineData("""{"result":{"error":"EMPTY_ERROR_HANDLER_URL"}}""")]
    public async Task A_refusal_inside_the_result_is_a_refusal(string answer)
    {
        await using var service = await Service.StartAsync();
        service.Bitrix.Faults.Next(Steps.Bind, Fault.Answer(answer, contentType: "application/json"));

        var outcome = await service.InstallAsync();

        Assert.Equal("EMPTY_ERROR_HANDLER_URL", (string)outcome.Placement(Steps.Link)["error"]!);
    }

    [Theory]
    [InlineData("""{"result":false}""")]
    [InlineData("""{"result":[]}""")]
    [InlineData("""{"result":null}""")]
    public async Task A_bind_that_is_not_said_to_have_succeeded_is_looked_at(string answer)
    {
        await using var service = await Service.StartAsync();
        service.Bitrix.Faults.Next(Steps.Bind, Fault.Answer(answer, contentType: "application/json"));

        await service.InstallAndFinishAsync();

        Assert.True(service.IsRegistered());
    }

    [Fact]
    public async Task A_missing_permission_fails_both_placements_and_says_so()
    {
        await using var service = await Service.StartAsync();
        service.Portal.App.Scopes = ["pull"];

        (await service.InstallAsync()).AssertAllFailed("insufficient_scope");
    }

    [Theory]
    [InlineData("ERROR_PLACEMENT_MAX_COUNT", "Placement max count: 1")]
    [InlineData("ERROR_CORE", AlreadyBound)]
    public async Task A_registration_that_turns_out_to_be_there_already_is_success(string code, string description)
    {
        await using var service = await Service.StartInstalledAsync();
        service.Bitrix.Faults.Next("rest:placement.get", Fault.Answer("""{"result":[]}""", contentType: "application/json"));
        service.Bitrix.Faults.Next(Steps.Bind, Fault.Error(code, 400, description), times: 2);

        await service.InstallAndFinishAsync();

        Assert.True(service.IsRegistered());
    }

    [Fact]
    public async Task A_place_that_stays_taken_is_told_after_a_few_looks()
    {
        await using var service = await Service.StartAsync();
        service.Bitrix.Faults.Set(Steps.Bind, Fault.Error("ERROR_PLACEMENT_MAX_COUNT"));

        var outcome = await service.InstallAsync();

        outcome.AssertAllFailed("ERROR_PLACEMENT_MAX_COUNT");
        Assert.InRange(service.Portal.Count("placement.bind"), 2, 6);
    }

    [Fact]
    public async Task Another_failure_called_ERROR_CORE_is_a_failure()
    {
        await using var service = await Service.StartAsync();
        service.Bitrix.Faults.Set(Steps.Bind, Fault.Error("ERROR_CORE", 400, "Something else"));

        (await service.InstallAsync()).AssertAllFailed("ERROR_CORE");
    }

    [Fact]
    public async Task A_bind_that_was_done_and_whose_answer_was_lost_is_not_repeated()
    {
        await using var service = await Service.StartAsync();
        service.Bitrix.Faults.Next(Steps.Bind, Fault.DropAfter(), times: 2);

        await service.InstallAndFinishAsync();

        Assert.True(service.IsRegistered());
        Assert.Equal(["event.bind", "event.bind", "event.get", "placement.bind", "placement.bind", "placement.get", "placement.get", "placement.get", "profile"], service.Portal.Methods().Order());
    }

    [Fact]
    public async Task A_bind_that_was_not_done_is_looked_at_and_then_done()
    {
        await using var service = await Service.StartAsync();
        service.Bitrix.Faults.Next(Steps.Bind, Fault.Drop());
        service.Bitrix.Faults.Next(Steps.Bind, Fault.Garbage(502));

        await service.InstallAndFinishAsync();

        Assert.True(service.IsRegistered());
        var placements = service.Portal.Methods().Where(m => m.StartsWith("placement.", StringComparison.Ordinal)).ToList();
        // Never twice in a row: between two binds somebody has looked.
        Assert.Equal(["placement.get", "placement.bind", "placement.get", "placement.bind", "placement.get", "placement.bind", "placement.bind"], placements);
    }

    [Theory]
    [InlineData("INTERNAL_SERVER_ERROR", 500)]
    [InlineData("ERROR_UNEXPECTED_ANSWER", 500)]
    [InlineData("QUERY_LIMIT_EXCEEDED", 503)]
    public async Task A_stumbling_portal_is_ridden_out(string code, int status)
    {
        await using var service = await Service.StartAsync();
        service.Bitrix.Faults.Next("rest:profile", Fault.Error(code, status));
        service.Bitrix.Faults.Next("rest:placement.get", Fault.Error(code, status));
        service.Bitrix.Faults.Next(Steps.Bind, Fault.Error(code, status));
        service.Bitrix.Faults.Next("rest:event.bind", Fault.Error(code, status));

        await service.InstallAndFinishAsync();

        Assert.True(service.IsRegistered());
        Assert.Equal(2, service.Portal.EventHandlers.Count);
    }

    [Fact]
    public async Task A_method_that_the_portal_has_blocked_is_not_called_again()
    {
        await using var service = await Service.StartAsync();
        service.Bitrix.Faults.Set(Steps.Bind, Fault.Error("OPERATION_TIME_LIMIT", 429));

        (await service.InstallAsync()).AssertAllFailed("OPERATION_TIME_LIMIT");
        (await service.InstallAsync()).AssertAllFailed("OPERATION_TIME_LIMIT");

        Assert.Equal(1, service.Portal.Count("placement.bind"));
    }

    [Fact]
    public async Task A_portal_with_strict_limits_is_installed()
    {
        await using var bitrix = await Bitrix24.StartAsync(new() { RateLimit = true }, TestContext.Current.CancellationToken);
        bitrix.Portals[0].Limit.Burst = 4;
        bitrix.Portals[0].Limit.PerSecond = 8;
        await using var service = await Service.StartAsync(bitrix: bitrix);

        await service.InstallAndFinishAsync();

        Assert.True(service.IsRegistered());
    }

    [Fact]
    public async Task Nonsense_instead_of_registrations_fails_and_is_mended_by_itself()
    {
        await using var service = await Service.StartAsync();
        service.Bitrix.Faults.Next(Steps.Bind, Fault.Garbage(), times: 6);

        var outcome = await service.InstallAsync();

        outcome.AssertAllFailed("bitrix24Unavailable");
        await service.EventuallyReconciledAsync();
    }

    [Fact]
    public async Task Events_that_cannot_be_bound_leave_the_installation_unfinished()
    {
        await using var service = await Service.StartAsync();
        service.Bitrix.Faults.Next("rest:event.bind", Fault.Error("ACCESS_DENIED", 403));

        var outcome = await service.InstallAsync();

        Assert.False((bool)outcome["finished"]!);
        Assert.Equal("ACCESS_DENIED", (string)outcome["eventsError"]!);
        Assert.All(outcome["placements"]!.AsArray(), p => Assert.Equal("registered", (string)p!["state"]!));
        Assert.True(await service.HasWorkAsync(WorkKind.Reconcile));
    }

    [Fact]
    public async Task Events_bound_meanwhile_by_another_are_bound()
    {
        await using var service = await Service.StartAsync();
        service.Bitrix.Faults.Next("rest:event.bind", Fault.DropAfter());

        await service.InstallAndFinishAsync();

        Assert.Equal(2, service.Portal.EventHandlers.Count);
    }
}
