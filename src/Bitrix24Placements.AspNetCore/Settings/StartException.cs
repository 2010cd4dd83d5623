namespace Bitrix24Placements.Settings;

/// <summary>What is mapped cannot work. Printed as one line, without the stack.</summary>
internal sealed class StartException(string line, Exception? inner = null) : InvalidOperationException(line, inner)
{
    public override string ToString() => Message;
}

/// <summary>A setting cannot be used; printed like a <see cref="StartException"/>.</summary>
internal sealed class SettingsException(string line) : OptionsValidationException("", typeof(object), [line])
{
    public override string ToString() => Message;
}
