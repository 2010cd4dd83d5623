namespace Bitrix24Placements.PortalSimulator;

/// <summary>The form a portal page submits into a frame. A test may change its fields before sending it.</summary>
public sealed record LaunchForm
{
    /// <summary>The registered address without its query.</summary>
    public required Uri Handler { get; init; }

    /// <summary>The handler's own query and what Bitrix24 adds to it.</summary>
    public required Dictionary<string, string> Query { get; init; }

    /// <summary>The hidden fields of the form.</summary>
    public required Dictionary<string, string> Body { get; init; }

    /// <summary>Where the form is posted to.</summary>
    public Uri Action => new($"{Handler}?{string.Join('&', Query.Select(pair => $"{Escape(pair.Key)}={Escape(pair.Value)}"))}");

    public string AppSid => Query["APP_SID"];

    public string AccessToken => Body["AUTH_ID"];

    public string RefreshToken => Body["REFRESH_ID"];

    /// <summary>What the frame is called; BX24.js reads it.</summary>
    public string WindowName => $"{Query["DOMAIN"]}|{Query["PROTOCOL"]}|{AppSid}";

    private static string Escape(string text) => Uri.EscapeDataString(text);
}
