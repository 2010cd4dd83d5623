using System.Diagnostics.CodeAnalysis;
using Bitrix24Placements.Settings;

namespace Bitrix24Placements.Placements;

[RequiresUnreferencedCode(BoundHandler.Reflection)]
[RequiresDynamicCode(BoundHandler.Reflection)]
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
        var bound = BoundHandler.Of(code, handler, services);
        return (context, request) =>
        {
            // Where BindAsync finds it.
            context.Features.Set(request);
            return bound(context);
        };
    }
}
