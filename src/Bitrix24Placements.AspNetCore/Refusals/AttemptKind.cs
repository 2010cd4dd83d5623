namespace Bitrix24Placements.Refusals;

/// <summary>What was tried. Failures of one kind never refuse another: an office whose workers are out of date can still install.</summary>
internal enum AttemptKind
{
    Worker,
    Person,
    Event,
    Api,
    Removal,
}
