namespace Bitrix24Placements.Storage;

/// <summary>What waits in the folder, perhaps since an earlier process.</summary>
internal sealed partial class Spool
{
    private bool _isListed;

    /// <summary>Whether something of this key waits.</summary>
    public bool Has(string kind, string key)
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

        return Count > 0 && _shares.HasKey(SpoolFile.KeyShareOf(kind, key));
    }

    /// <summary>In order, with what is reserved or being written.</summary>
    internal IReadOnlyList<SpoolFile> List()
    {
        _isListed = true;
        if (!Directory.Exists(Folder))
            return [];
        var files = new List<SpoolFile>();
        foreach (var info in new DirectoryInfo(Folder).EnumerateFiles("*.spool"))
        {
            if (SpoolFile.Parse(info.Name) is not { } file || !info.Exists)
                continue;
            _shares.Add(file, info.Length);
            files.Add(file);
        }

        _shares.KeepOnly(files);
        files.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name));
        return files;
    }
}
