using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Bitrix24Placements.Settings;

/// <summary>What a handler cannot be given is found while it is mapped.</summary>
[RequiresUnreferencedCode(Reflection)]
[RequiresDynamicCode(Reflection)]
internal static class BoundHandler
{
    public const string Reflection =
        "Binds the handler's parameters by reflection; use the overload with a typed function where code is trimmed.";

    /// <param name="name">Of the placement or event.</param>
    public static RequestDelegate Of(string name, Delegate handler, IServiceProvider services, bool throwOnBadRequest = false)
    {
        try
        {
            return RequestDelegateFactory.Create(handler, new RequestDelegateFactoryOptions
            {
                ServiceProvider = services,
                ThrowOnBadRequest = throwOnBadRequest,
                // The form is read already: nothing is left of the body that a parameter could be read from.
                DisableInferBodyFromParameters = true,
            }).RequestDelegate;
        }
        catch (InvalidOperationException e)
        {
            // The framework's message has many lines.
            throw new StartException(RuntimeFeature.IsDynamicCodeSupported
                ? $"The handler of {name} asks for something that nobody has registered: "
                    + string.Join(' ', e.Message.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
                : $"The handler of {name} is bound by its parameters, which needs code made at run time: "
                    + "use the overload with a typed function.", e);
        }
    }
}
