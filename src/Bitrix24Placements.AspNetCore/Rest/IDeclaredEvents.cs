namespace Bitrix24Placements.Rest;

/// <summary>The events that shall be bound on every portal, by Bitrix24's names.</summary>
internal interface IDeclaredEvents
{
    IEnumerable<string> Names { get; }
}
