using System.Text.Json.Nodes;

namespace Bitrix24Placements.PortalSimulator;

/// <param name="UserId">0: everybody's.</param>
public sealed record SimPlacement(string ClientId, string Placement, string Handler, int UserId, JsonObject Options)
{
    public string Title { get; init; } = "";

    public string Description { get; init; } = "";

    public JsonObject LangAll { get; init; } = [];
}

public sealed record BoundEvent(string ClientId, string Event, string Handler);
