using System.Text.Json.Nodes;

namespace Bitrix24Placements.PortalSimulator;

/// <summary>A registration that <c>placement.bind</c> made.</summary>
/// <param name="UserId">0: everybody's.</param>
public sealed record SimPlacement(string ClientId, string Placement, string Handler, int UserId, JsonObject Options)
{
    /// <summary>As bound, or the English one of <see cref="LangAll"/>.</summary>
    public string Title { get; init; } = "";

    public string Description { get; init; } = "";

    public string GroupName { get; init; } = "";

    /// <summary><c>{"en":{"TITLE","DESCRIPTION","GROUP_NAME"}}</c>; empty when it was bound without.</summary>
    public JsonObject LangAll { get; init; } = [];
}
