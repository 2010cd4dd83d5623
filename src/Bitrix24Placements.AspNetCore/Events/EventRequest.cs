using System.Reflection;

namespace Bitrix24Placements;

/// <summary>Bitrix24 has told of something, and the portal's application_token was right. Handlers take it as a parameter.</summary>
/// <remarks>An employee of the portal can read that token, so an event names things and proves nothing: handlers fetch facts by
/// REST.</remarks>
public sealed record EventRequest
{
    /// <summary>The same over repeats: a handler that must not do a thing twice remembers it.</summary>
    public required string Id { get; init; }

    /// <summary>In upper case, e.g. <c>ONCRMDEALADD</c>.</summary>
    public required string Name { get; init; }

    public required PortalAddress Portal { get; init; }

    /// <summary>The app that has bound the event.</summary>
    public required AppInfo App { get; init; }

    /// <summary>Who did it, as Bitrix24 says; null where it does not.</summary>
    public long? UserId { get; init; }

    /// <summary>When Bitrix24 sent it; when it came, where Bitrix24 does not say.</summary>
    public DateTimeOffset Timestamp { get; init; }

    /// <summary>An object: <c>data[FIELDS][ID]</c> is <c>FIELDS</c> with <c>ID</c> in it, each value a text.</summary>
    public JsonElement Data { get; init; }

    /// <summary>For minimal API handlers.</summary>
    public static ValueTask<EventRequest?> BindAsync(HttpContext context, ParameterInfo parameter) =>
        new(context.Features.Get<EventRequest>());
}

/// <summary>The app was installed on a portal, confirmed by the OAuth server and by an administrator's token.</summary>
/// <param name="Id">The same over repeats.</param>
public sealed record InstalledEvent(string Id, PortalAddress Portal, AppInfo App)
{
    /// <summary>For minimal API handlers.</summary>
    public static ValueTask<InstalledEvent?> BindAsync(HttpContext context, ParameterInfo parameter) =>
        new(context.Features.Get<InstalledEvent>());
}

/// <summary>The app is gone from a portal, confirmed by the OAuth server: nothing can be called there any more.</summary>
/// <param name="Clean">Whether the portal's data is to be deleted.</param>
public sealed record UninstalledEvent(string Id, PortalAddress Portal, AppInfo App, bool Clean)
{
    /// <summary>For minimal API handlers.</summary>
    public static ValueTask<UninstalledEvent?> BindAsync(HttpContext context, ParameterInfo parameter) =>
        new(context.Features.Get<UninstalledEvent>());
}
