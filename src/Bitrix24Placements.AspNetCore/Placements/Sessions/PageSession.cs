using System.Reflection;
using Bitrix24Placements.Placements;
using Bitrix24Placements.Rest;

namespace Bitrix24Placements;

/// <summary>Who sends a request from one of the app's pages: the user for whom that page was opened. Endpoints with
/// <c>RequirePageSession()</c> take it as a parameter.</summary>
public sealed class PageSession
{
    internal PageSession(StoredSession stored, PortalAddress portal, AppInfo app) => (Stored, Portal, App) = (stored, portal, app);

    public PortalAddress Portal { get; }

    /// <summary>The portal's user, whom the OAuth server has named.</summary>
    public long UserId => Stored.UserId;

    public AppInfo App { get; }

    internal StoredSession Stored { get; }

    internal UserAccess Access => new(Portal.Id, Stored.Endpoint, Stored.Server, UserId, new(Stored.Token));

    /// <summary>The same for every page of this user.</summary>
    internal string Id => $"{Portal.Id}:{UserId}";

    /// <summary>For minimal API handlers; null where the request has no valid session.</summary>
    public static async ValueTask<PageSession?> BindAsync(HttpContext context, ParameterInfo parameter) =>
        context.Features.Get<PageSession>() ?? await context.RequestServices.GetRequiredService<PageSessions>().ReadAsync(context);
}
