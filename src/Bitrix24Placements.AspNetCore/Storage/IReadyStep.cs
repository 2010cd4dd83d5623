namespace Bitrix24Placements.Storage;

/// <summary>What has to be done before the service can serve; tried until it succeeds.</summary>
internal interface IReadyStep
{
    Task PrepareAsync(CancellationToken cancellationToken);
}
