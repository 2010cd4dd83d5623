namespace Bitrix24Placements.Storage;

/// <summary>Brings entries of one kind from the spool into the database. An entry can come twice: after a kill in between.</summary>
internal interface ISpoolHandler
{
    string Kind { get; }

    /// <returns>True: done, the entry is removed. False: it is offered again later.</returns>
    Task<bool> CarryOverAsync(string key, string payload, CancellationToken cancellationToken);
}
