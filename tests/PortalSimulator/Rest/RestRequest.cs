using System.Text.Json.Nodes;

namespace Bitrix24Placements.PortalSimulator;

/// <summary>A call whose token has been accepted.</summary>
internal sealed record RestRequest(SimPortal Portal, SimApp App, SimUser User, JsonObject Parameters)
{
    public string? Text(string name) => Parameters.FindText(name);
}
