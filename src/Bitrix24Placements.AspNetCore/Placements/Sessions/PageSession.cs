using System.Reflection;
using Bitrix24Placements.Rest;

namespace Bitrix24Placements;

/// <summary>Who sends a request from one of the app's pages: the user for whom that page was opened. Endpoints with
/// <c>RequirePageSession()</c>
/// take it as a parameter.</summary>
public sealed class PageSession
{
    internal PageSession(
        PortalAddress portal, AppInfo app, UserAccess access, string placement, DateTimeOffset expiresAt, byte[]? context) =>
        (Portal, App, Access, Placement, ExpiresAt, Context) = (portal, app, access, placement, expiresAt, context);

    public PortalAddress Portal { get; }

    /// <summary>The portal's user, whom the OAuth server has named.</summary>
    public long UserId => Access.UserId;

    public AppInfo App { get; }

    /// <summary>With the user's own token, which stands encrypted in the session's text.</summary>
    internal UserAccess Access { get; }

    /// <summary>Whose page it was.</summary>
    internal string Placement { get; }

    /// <summary>That of the user's token.</summary>
    internal DateTimeOffset ExpiresAt { get; }

    /// <summary>The launch context as JSON; null where it was too large to be kept.</summary>
    internal byte[]? Context { get; }

    /// <summary>The same for every session of this user: what limits go by. Opening another page makes no other.</summary>
    internal string Id => $"{Portal.Id}:{UserId}";

    /// <summary>For minimal API handlers; null where the request has no valid session.</summary>
    public static async ValueTask<PageSession?> BindAsync(HttpContext context, ParameterInfo parameter) =>
        context.Features.Get<PageSession>() ?? await context.RequestServices.GetRequiredService<PageSessions>().ReadAsync(context);
}
