namespace Bitrix24Placements.Storage;

/// <summary>What waits in the folder, perhaps since an earlier process.</summary>
internal sealed partial class Spool
{
    /// <summary>They stay there, and nobody is to wait for them.</summary>
    private readonly ConcurrentDictionary<string, bool> _unreadable = new();

    private bool _isListed;

    /// <summary>Whether something of this key waits that can be read.</summary>
    public bool Has(string kind, string key) => Waiting(kind, key).Any();

    /// <summary>When what waits of this key, and can be read, was put there.</summary>
    public IEnumerable<DateTimeOffset> Waiting(string kind, string key)
    {
        try
        {
            if (!_isListed)
                List();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Trouble(e.Message);
        }

        return Count == 0 ? [] : _shares.OfKey(SpoolFile.KeyShareOf(kind, key))
            .Where(f => !_unreadable.ContainsKey(f.Name)).Select(f => f.KeptAt);
    }

    internal void NoteUnreadable(SpoolFile file) => _unreadable[file.Name] = true;

    /// <summary>In order, with what is reserved or being written.</summary>
    internal IReadOnlyList<SpoolFile> List()
    {
        var folder = new DirectoryInfo(Folder);
        var files = new List<SpoolFile>();
        foreach (var info in folder.Exists ? folder.EnumerateFiles("*.spool") : [])
        {
            if (SpoolFile.Parse(info.Name) is not { } file || !info.Exists)
                continue;
            _shares.Add(file, info.Length);
            files.Add(file);
        }

        _shares.KeepOnly(files);
        _isListed = true;
        files.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name));
        return files;
    }
}
