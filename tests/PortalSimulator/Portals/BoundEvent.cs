namespace Bitrix24Placements.PortalSimulator;

/// <summary>What <c>event.bind</c> made.</summary>
/// <param name="Id">Comes with the events as <c>event_handler_id</c>.</param>
public sealed record BoundEvent(string ClientId, string Event, string Handler, int Id)
{
    internal bool Is(string clientId, string name) =>
        ClientId == clientId && Event.Equals(name, StringComparison.OrdinalIgnoreCase);
}
