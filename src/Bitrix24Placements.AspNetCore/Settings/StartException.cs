using System.Runtime.CompilerServices;

namespace Bitrix24Placements.Settings;

/// <summary>What is mapped cannot work. Printed as one line, without the stack.</summary>
internal sealed class StartException(string line, Exception? inner = null) : InvalidOperationException(line, inner)
{
    /// <param name="name">Of the placement or event whose handler cannot be bound; the framework's message has many lines.</param>
    public static StartException Unbound(string name, InvalidOperationException e) => new(RuntimeFeature.IsDynamicCodeSupported
        ? $"The handler of {name} asks for something that nobody has registered: "
            + string.Join(' ', e.Message.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
        : $"The handler of {name} is bound by its parameters, which needs code made at run time: "
            + "use the overload with a typed function.", e);

    public override string ToString() => Message;
}

/// <summary>A setting cannot be used; printed like a <see cref="StartException"/>.</summary>
internal sealed class SettingsException(string line) : OptionsValidationException("", typeof(object), [line])
{
    public override string ToString() => Message;
}
