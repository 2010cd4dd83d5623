namespace Bitrix24Placements.Storage;

/// <summary>Before the service can serve; tried until it succeeds.</summary>
internal interface IReadyStep
{
    Task PrepareAsync(CancellationToken cancellationToken);
}
