namespace Bitrix24Placements;

/// <summary>One of the Bitrix24 apps that this service is.</summary>
/// <param name="Name"><see cref="PortalId.DefaultApp"/>, or its name in <c>Bitrix24:Apps</c>.</param>
/// <param name="ClientId">What Bitrix24 calls it, e.g. <c>local.66ba434d853c87.18550109</c>.</param>
public sealed record AppInfo(string Name, string ClientId);
