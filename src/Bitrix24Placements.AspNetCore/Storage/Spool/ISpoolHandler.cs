namespace Bitrix24Placements.Storage;

/// <summary>Brings entries of one kind into the database. After a kill an entry comes twice.</summary>
internal interface ISpoolHandler
{
    string Kind { get; }

    /// <returns>False: it is offered again later.</returns>
    Task<bool> CarryOverAsync(string key, string payload, DateTimeOffset keptAt, CancellationToken cancellationToken);
}
