namespace Bitrix24Placements.Placements;

internal sealed class PlacementExpectation(params string[] placements)
{
    public IReadOnlyList<string> Placements { get; } = placements;

    /// <summary>Half a pair of tokens would take the place of a good one.</summary>
    public bool NeedsRefreshToken { get; init; }

    internal string Message { get; } = $"This address serves {string.Join(", ", placements)}.";

    internal string? Find(ReadOnlySpan<byte> sent) => WireValues.OneOf(sent, placements);

    /// <summary>Every page but the worker's acts for a person.</summary>
    internal bool ActsForAPerson(string placement) =>
        (placement.Length == 0 ? placements[0] : placement) != PlacementCatalogue.BackgroundWorker;
}
