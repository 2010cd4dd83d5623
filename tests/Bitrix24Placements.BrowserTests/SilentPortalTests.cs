using Bitrix24Placements.BrowserTests.Harness;
using Bitrix24Placements.PortalSimulator;

namespace Bitrix24Placements.BrowserTests;

/// <summary>What the vendor's libraries make of a portal in trouble.</summary>
public sealed class SilentPortalTests(Chromium chromium) : BrowserTest(chromium)
{
    private const int Bob = 2;

    /// <summary>BX24.callMethod calls nobody back after a 5xx; a portal with many pages answers 503 when they ask for too much.</summary>
    [Fact]
    public async Task Calls_to_the_portal_that_are_never_answered_are_made_again()
    {
        Complaints.Expect(static text => text.Contains("Query error!", StringComparison.Ordinal));
        await Context.Clock.InstallAsync();
        Service.Bitrix.Faults.Next("rest:profile", Fault.Error("QUERY_LIMIT_EXCEEDED", 503));
        Service.Bitrix.Faults.Next("rest:pull.application.config.get", Fault.Error("QUERY_LIMIT_EXCEEDED", 503));

        await OpenAsync(userId: Bob);
        await EventuallyAsync(() => Portal.Calls.Any(static call => call is { Method: "profile", UserId: Bob }), "the first tab asks");
        await OpenAsync("/crm/", Bob);

        await Service.EventuallyAsync(
            async () =>
            {
                await Context.Clock.FastForwardAsync(5000);
                return Portal.Push.Connections(Bob) == 2;
            },
            "both tabs listen");
        Assert.True(Complaints.Expected.Count(static text => text.Contains("Query error!", StringComparison.Ordinal)) >= 2);
    }

    [Fact]
    public async Task A_portal_that_sends_no_options_is_asked_once_per_token()
    {
        var worker = await (await OpenAsync(userId: Bob)).WorkerFrameAsync();

        var asked = await worker.EvaluateAsync<int>(
            """
            async () => {
              const { identify } = await import(new URL('identity.js', new URL(document.body.dataset.module, location.href)));
              let asked = 0;
              const BX24 = {
                getAuth: () => ({ member_id: 'without options', access_token: 'token' }),
                userOption: { get() { throw new TypeError(); }, set() { throw new TypeError(); } },
                callMethod(method, params, callback) { asked++; callback({ error: () => undefined, data: () => ({ ID: '7' }) }); },
              };
              for (let i = 0; i < 2; i++) if ((await identify(BX24, 'app')).userId !== 7) throw new Error('wrong user');
              return asked;
            }
            """);

        Assert.Equal(1, asked);
    }
}
