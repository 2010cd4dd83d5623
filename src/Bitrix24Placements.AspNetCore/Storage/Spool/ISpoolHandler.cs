namespace Bitrix24Placements.Storage;

/// <summary>Brings one kind's entries into the database; after a kill twice.</summary>
internal interface ISpoolHandler
{
    /// <summary>Letters and digits: a part of the entry's name.</summary>
    string Kind { get; }

    /// <returns>False: it is offered again later.</returns>
    Task<bool> CarryOverAsync(string key, string payload, DateTimeOffset keptAt, CancellationToken cancellationToken);
}
