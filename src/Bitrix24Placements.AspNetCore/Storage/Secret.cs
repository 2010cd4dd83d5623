namespace Bitrix24Placements;

/// <summary>A token or key. Prints as <c>***</c>.</summary>
public readonly record struct Secret
{
    private readonly string? _value;

    public Secret(string value) => _value = value;

    public bool IsEmpty => string.IsNullOrEmpty(_value);

    /// <summary>For a request to Bitrix24 or for encryption, never for a log or a page.</summary>
    public string Reveal() => _value ?? "";

    public override string ToString() => IsEmpty ? "" : "***";
}
