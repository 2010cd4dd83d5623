using Bitrix24Placements.Placements;
using Bitrix24Placements.Portals;

namespace Bitrix24Placements.Doctor.Checks;

/// <summary>The portal is asked to send ONAPPTEST, which then has to come, and to be believed.</summary>
/// <remarks>https://apidocs.bitrix24.com/api-reference/events/index.html</remarks>
internal sealed class WayBackCheck(RestClient rest, PlacementCatalogue catalogue, ProbeHttp probe)
    : CheckOfPortal(Name, AddressCheck.Name, PortalCheck.Name)
{
    public const string Name = "wayBack";

    private const string TestEvent = "ONAPPTEST";

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan AskEvery = TimeSpan.FromMilliseconds(200);

    protected override async Task<IReadOnlyList<Finding>> RunAsync(Portal portal, CancellationToken cancellationToken)
    {
        // The way to /events is that of every event; what stands behind it tells this one from others'.
        var handler = $"{catalogue.EventsUrl}?{HeardEvents.Parameter}={EchoSeal.NewNonce()}";
        var binding = new JsonObject { ["event"] = TestEvent, ["handler"] = handler };
        var bound = await AskAsync(rest, portal, "event.bind", Copy(binding), cancellationToken);
        if (!bound.Ok)
            return Refused(portal, "event.bind", bound.Error);
        try
        {
            var asked = await AskAsync(rest, portal, "event.test", null, cancellationToken);
            return asked.Ok
                ? await WaitAsync(handler, portal, cancellationToken)
                : Refused(portal, "event.test", asked.Error);
        }
        finally
        {
            await AskAsync(rest, portal, "event.unbind", Copy(binding), CancellationToken.None);
        }
    }

    private async Task<IReadOnlyList<Finding>> WaitAsync(string handler, Portal portal, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Timeout);
        try
        {
            while (true)
            {
                // Several instances stand behind one address: one of them has heard it.
                var answer = await probe.AskAsync(HttpMethod.Head, new(handler), 0, patience.Token);
                if (answer.Echo?.Heard is { } status)
                    return status == StatusCodes.Status200OK ? Finding.None
                        : Finding.One("event.refused", $"{TestEvent} → {catalogue.EventsUrl}: {status}");
                await Task.Delay(AskEvery, patience.Token);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return Finding.One("event.silent",
                $"{portal.ClientEndpoint.Host} → {catalogue.EventsUrl}: {TestEvent}, {Timeout.TotalSeconds} s");
        }
    }

    private static JsonObject Copy(JsonObject parameters) => (JsonObject)parameters.DeepClone();
}
