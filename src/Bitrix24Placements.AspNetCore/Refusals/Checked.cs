using System.Diagnostics.CodeAnalysis;

namespace Bitrix24Placements.Refusals;

/// <summary>A value, or why the request is refused.</summary>
internal readonly record struct Checked<T>(T? Value, Rejection? Rejection)
    where T : class
{
    [MemberNotNullWhen(true, nameof(Value))]
    [MemberNotNullWhen(false, nameof(Rejection))]
    public bool Ok => Rejection is null;

    public static implicit operator Checked<T>(T value) => new(value, null);

    public static implicit operator Checked<T>(Rejection rejection) => new(null, rejection);
}
