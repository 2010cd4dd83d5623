namespace Bitrix24Placements.Apps;

/// <param name="AppCode">Of a published app; a local one is addressed by its client_id.</param>
internal sealed record RegisteredApp(string Name, string ClientId, Secret ClientSecret, string? AppCode)
{
    public Secret? PreviousSecret { get; init; }

    public AppInfo Info { get; } = new(Name, ClientId);

    /// <summary>In <c>/marketplace/view/{code}/</c>.</summary>
    public string LinkCode => AppCode ?? ClientId;
}
