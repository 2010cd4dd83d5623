using System.Diagnostics.CodeAnalysis;
using Bitrix24Placements.Events;
using Bitrix24Placements.Settings;

namespace Bitrix24Placements;

/// <summary>
/// The seam for one's own code: what is to be done when Bitrix24 tells of something. Handlers run after the answer, at least once,
/// those of one portal one after the other; one that throws is called again after a pause that grows, for a day.
/// </summary>
public static class EventHandlerExtensions
{
    private const string Reflection = BoundHandler.Reflection;

    /// <summary>Handles an event of Bitrix24, e.g. <c>MapEvent("ONCRMDEALADD", async (EventRequest e, PortalSignals signals) => …)</c>.
    /// It is bound at every installation.</summary>
    /// <exception cref="ArgumentException">No name of an event, or one of the app's own.</exception>
    /// <exception cref="InvalidOperationException">The event has a handler already.</exception>
    [RequiresUnreferencedCode(Reflection)]
    [RequiresDynamicCode(Reflection)]
    public static IEndpointRouteBuilder MapEvent(this IEndpointRouteBuilder endpoints, string name, Delegate handler) =>
        MapDelegate<EventRequest>(endpoints, NameOf(name), handler);

    /// <inheritdoc cref="MapEvent(IEndpointRouteBuilder, string, Delegate)"/>
    public static IEndpointRouteBuilder MapEvent(
        this IEndpointRouteBuilder endpoints, string name, Func<EventRequest, IServiceProvider, CancellationToken, Task> handler) =>
        Map(endpoints, NameOf(name), handler);

    /// <summary>Called when the app has been installed on a portal.</summary>
    [RequiresUnreferencedCode(Reflection)]
    [RequiresDynamicCode(Reflection)]
    public static IEndpointRouteBuilder MapInstalled(this IEndpointRouteBuilder endpoints, Delegate handler) =>
        MapDelegate<InstalledEvent>(endpoints, StoredEvent.Installed, handler);

    /// <inheritdoc cref="MapInstalled(IEndpointRouteBuilder, Delegate)"/>
    public static IEndpointRouteBuilder MapInstalled(
        this IEndpointRouteBuilder endpoints, Func<InstalledEvent, IServiceProvider, CancellationToken, Task> handler) =>
        Map(endpoints, StoredEvent.Installed, handler);

    /// <summary>Called when the app is gone from a portal.</summary>
    [RequiresUnreferencedCode(Reflection)]
    [RequiresDynamicCode(Reflection)]
    public static IEndpointRouteBuilder MapUninstalled(this IEndpointRouteBuilder endpoints, Delegate handler) =>
        MapDelegate<UninstalledEvent>(endpoints, StoredEvent.Uninstalled, handler);

    /// <inheritdoc cref="MapUninstalled(IEndpointRouteBuilder, Delegate)"/>
    public static IEndpointRouteBuilder MapUninstalled(
        this IEndpointRouteBuilder endpoints, Func<UninstalledEvent, IServiceProvider, CancellationToken, Task> handler) =>
        Map(endpoints, StoredEvent.Uninstalled, handler);

    private static IEndpointRouteBuilder Map<T>(
        IEndpointRouteBuilder endpoints, string name, Func<T, IServiceProvider, CancellationToken, Task> handler)
    {
        endpoints.ServiceProvider.GetRequiredService<EventHandlers>().Add(
            name, (services, request, cancellationToken) => handler((T)request, services, cancellationToken));
        return endpoints;
    }

    private static string NameOf(string name)
    {
        var upper = name.ToUpper(CultureInfo.InvariantCulture);
        if (upper.Length is 0 or > 100
            || !upper.All(c => char.IsAsciiLetterUpper(c) || char.IsAsciiDigit(c) || c is '_' or ':' or '.'))
            throw new ArgumentException($"{name} is no name of an event.", nameof(name));
        if (upper.StartsWith("ONAPP", StringComparison.Ordinal))
            throw new ArgumentException($"{name} is handled by the service itself; see MapInstalled and MapUninstalled.", nameof(name));
        return upper;
    }

    [RequiresUnreferencedCode(Reflection)]
    [RequiresDynamicCode(Reflection)]
    private static IEndpointRouteBuilder MapDelegate<T>(IEndpointRouteBuilder endpoints, string name, Delegate handler)
        where T : class
    {
        var bound = BoundHandler.Of(name, handler, endpoints.ServiceProvider, throwOnBadRequest: true);
        return Map<T>(endpoints, name, (request, services, cancellationToken) =>
        {
            var context = new DefaultHttpContext { RequestServices = services, RequestAborted = cancellationToken };
            context.Features.Set(request);
            return bound(context);
        });
    }
}
