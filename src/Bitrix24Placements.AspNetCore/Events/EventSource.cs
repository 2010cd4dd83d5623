namespace Bitrix24Placements.Events;

/// <param name="Address">Whose share it takes; empty where an earlier version has spooled it.</param>
/// <param name="Believed">Whose application token it was when it was spooled.</param>
internal sealed record EventSource(string Address, DateTimeOffset ToldAt, PortalId? Believed = null)
{
    /// <summary>Null from the spool.</summary>
    public HttpContext? Context { get; init; }
}
