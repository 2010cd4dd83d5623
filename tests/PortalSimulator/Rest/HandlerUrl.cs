namespace Bitrix24Placements.PortalSimulator;

internal static class HandlerUrl
{
    private const int MaxLength = 255;

    /// <summary>The portal's own check: a host with a dot, then http or https. Null: accepted.</summary>
    public static RestReply? Refuse(string url, int status)
    {
        if (url.Length > MaxLength
            || !Uri.TryCreate(url, UriKind.Absolute, out var parsed)
            || !parsed.Host.Contains('.', StringComparison.Ordinal))
            return RestReply.Error("ERROR_WRONG_HANDLER_URL", "Wrong handler URL", status);
        return parsed.Scheme is "http" or "https"
            ? null
            : RestReply.Error("ERROR_UNSUPPORTED_PROTOCOL", "Unsupported event handler protocol", status);
    }
}
