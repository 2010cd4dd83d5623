using System.Diagnostics.CodeAnalysis;
using Bitrix24Placements.Settings;

namespace Bitrix24Placements.Placements;

/// <summary>What a handler cannot be given is found while it is mapped.</summary>
[RequiresUnreferencedCode(PlacementEndpoints.Reflection)]
[RequiresDynamicCode(PlacementEndpoints.Reflection)]
internal static class HandlerBinding
{
    public static RequestReader ReaderFor(string code, Delegate handler)
    {
        var asked = handler.Method.GetParameters().Select(p => p.ParameterType)
            .FirstOrDefault(t => t.IsAssignableTo(typeof(PlacementRequest)));
        if (asked is { IsGenericType: true })
            return OptionsReader.Typed(asked.GetGenericArguments()[0]);
        var (own, read) = OptionsReader.Default(code);
        return asked is null || asked == typeof(PlacementRequest) || asked == own ? read
            : throw new StartException($"The handler of {code} asks for a {asked.Name}, which is another placement's.");
    }

    public static Func<HttpContext, PlacementRequest, Task> Bind(string code, Delegate handler, IServiceProvider services)
    {
        // The form is read already: nothing is left of the body that a parameter could be read from.
        var options = new RequestDelegateFactoryOptions { ServiceProvider = services, DisableInferBodyFromParameters = true };
        try
        {
            var bound = RequestDelegateFactory.Create(handler, options).RequestDelegate;
            return (context, request) =>
            {
                // Where BindAsync finds it.
                context.Features.Set(request);
                return bound(context);
            };
        }
        catch (InvalidOperationException e)
        {
            throw StartException.Unbound(code, e);
        }
    }
}
