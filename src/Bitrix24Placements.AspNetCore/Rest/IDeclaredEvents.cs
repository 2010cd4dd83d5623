namespace Bitrix24Placements.Rest;

/// <summary>Bound on every portal, by Bitrix24's names.</summary>
internal interface IDeclaredEvents
{
    IEnumerable<string> Names { get; }
}
