namespace Bitrix24Placements.Refusals;

/// <summary>What is asked. Each kind has places and a budget of failures of its own: an office whose workers are out of date can still
/// install, and who takes all the places of one keeps nobody out of another.</summary>
internal enum RequestKind
{
    Worker,
    Person,
    Api,
    Event,
    Removal,
}
