using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection.Repositories;

namespace Bitrix24Placements.Storage;

/// <summary>In PostgreSQL. The framework asks synchronously, at start and every few hours.</summary>
internal sealed class DatabaseKeys(Database database, SchemaInstaller schema) : IXmlRepository
{
    private long _seen;

    public IReadOnlyCollection<XElement> GetAllElements()
    {
        var keys = Wait(() => database.QueryAsync(
            "SELECT xml FROM data_protection_keys", r => XElement.Parse(r.GetString(0)), CancellationToken.None));
        Volatile.Write(ref _seen, keys.Count);
        return keys;
    }

    /// <summary>Instances that miss a key at once would each make one, and not know the others' for a day. The first is kept: the framework
    /// reads all anew after storing.</summary>
    public void StoreElement(XElement element, string friendlyName) => Wait(() => database.ChangeAsync(async connection =>
    {
        await connection.ExecuteAsync("LOCK TABLE data_protection_keys IN SHARE ROW EXCLUSIVE MODE");
        return await connection.ExecuteAsync(
            $"""
            INSERT INTO data_protection_keys (name, xml) SELECT {friendlyName}, {element.ToString(SaveOptions.DisableFormatting)}
            WHERE (SELECT COUNT(*) FROM data_protection_keys) = {Volatile.Read(ref _seen)}
            """);
    }, CancellationToken.None));

    private T Wait<T>(Func<Task<T>> work) => Task.Run(async () =>
    {
        await schema.EnsureAsync(CancellationToken.None);
        return await work();
    }).GetAwaiter().GetResult();
}
