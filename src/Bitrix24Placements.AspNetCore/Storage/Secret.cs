namespace Bitrix24Placements;

/// <summary>A token or key. Prints as <c>***</c>.</summary>
public readonly struct Secret : IEquatable<Secret>
{
    private readonly string? _value;

    public Secret(string value) => _value = value;

    public bool IsEmpty => string.IsNullOrEmpty(_value);

    /// <summary>For a request to Bitrix24 or for encryption, never for a log or a page.</summary>
    public string Reveal() => _value ?? "";

    public bool Equals(Secret other) => string.Equals(_value, other._value, StringComparison.Ordinal);

    public override bool Equals(object? obj) => obj is Secret other && Equals(other);

    public override int GetHashCode() => Reveal().GetHashCode(StringComparison.Ordinal);

    public override string ToString() => IsEmpty ? "" : "***";

    public static bool operator ==(Secret left, Secret right) => left.Equals(right);

    public static bool operator !=(Secret left, Secret right) => !left.Equals(right);
}
