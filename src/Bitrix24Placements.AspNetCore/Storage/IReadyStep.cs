namespace Bitrix24Placements.Storage;

/// <summary>What has to be done before the service can serve. It is tried again until it succeeds.</summary>
internal interface IReadyStep
{
    Task PrepareAsync(CancellationToken cancellationToken);
}
