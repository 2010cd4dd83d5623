namespace Bitrix24Placements.PortalSimulator;

/// <summary>Which part of a portal a request is for.</summary>
internal sealed class PortalEndpoints(SimPortal portal)
{
    private readonly RestApi _rest = new(portal);
    private readonly PortalPages _pages = new(portal);
    private readonly ShellApi _shell = new(portal);

    public async Task HandleAsync(HttpContext context)
    {
        using var gone = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, portal.Bitrix.Stopping);
        var path = context.Request.Path;
        // The shell goes on working in a tab that was opened before the portal moved.
        if (path.StartsWithSegments("/sim"))
            await _shell.HandleAsync(context, gone.Token);
        else if (portal.HasMovedFrom(context.Request.Host.Host))
            await Answer.Redirect($"{portal.Url}{path}{context.Request.QueryString}").WriteAsync(context.Response, gone.Token);
        else if (path.StartsWithSegments("/rest", out var method) && method.HasValue)
            await _rest.HandleAsync(context, gone.Token);
        else if (path.StartsWithSegments("/pull/subws"))
            await portal.Push.HandleAsync(context, gone.Token);
        else
            await _pages.HandleAsync(context, gone.Token);
    }
}
