using System.Text.Json.Nodes;
using Bitrix24Placements.Placements;
using Bitrix24Placements.Portals;

namespace Bitrix24Placements.Doctor.Checks;

/// <summary>The portal is asked to send ONAPPTEST, which then has to come, and to be believed.</summary>
/// <remarks>https://apidocs.bitrix24.com/api-reference/events/index.html</remarks>
internal sealed class WayBackCheck(RestClient rest, PlacementCatalogue catalogue, ProbeHttp probe) : ICheck
{
    public const string Name = "wayBack";

    private const string TestEvent = "ONAPPTEST";

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan AskEvery = TimeSpan.FromMilliseconds(200);

    public string Id => Name;

    public IReadOnlyList<string> Needs => [AddressCheck.Name, PortalCheck.Name];

    public async Task<IReadOnlyList<Finding>> RunAsync(Examination examination, CancellationToken cancellationToken)
    {
        if (examination.Portal is not { } portal)
            return Finding.Note("portal.none");
        var nonce = EchoSeal.NewNonce();
        // The way to /events is that of every event; what stands behind it tells this one from others'.
        var binding = new JsonObject { ["event"] = TestEvent, ["handler"] = $"{catalogue.EventsUrl}?{HeardEvents.Parameter}={nonce}" };
        var bound = await rest.AskAsync(portal, "event.bind", Copy(binding), cancellationToken);
        if (!bound.Ok)
            return Finding.One("portal.refused", $"{portal.ClientEndpoint.Host}: event.bind, {bound.Error.Code}");
        try
        {
            var asked = await rest.AskAsync(portal, "event.test", null, cancellationToken);
            return asked.Ok
                ? await WaitAsync(nonce, portal, cancellationToken)
                : Finding.One("portal.refused", $"{portal.ClientEndpoint.Host}: event.test, {asked.Error.Code}");
        }
        finally
        {
            await rest.AskAsync(portal, "event.unbind", Copy(binding), CancellationToken.None);
        }
    }

    private async Task<IReadOnlyList<Finding>> WaitAsync(string nonce, Portal portal, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Timeout);
        try
        {
            while (true)
            {
                // Several instances stand behind one address: one of them has heard it.
                var answer = await probe.AskAsync(HttpMethod.Head, new(catalogue.EventsUrl ?? ""), 0, patience.Token);
                if (answer.Echo?.Heard.FirstOrDefault(h => h.Nonce == nonce) is { } heard)
                    return heard.Status == StatusCodes.Status200OK ? Finding.None
                        : Finding.One("event.refused", $"{TestEvent} → {catalogue.EventsUrl}: {heard.Status}");
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
