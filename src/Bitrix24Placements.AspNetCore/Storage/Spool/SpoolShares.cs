namespace Bitrix24Placements.Storage;

/// <summary>How much the spool holds, in all, by key and by address, so that nobody takes the others' room.</summary>
internal sealed class SpoolShares
{
    private const int MaxFiles = 10_000;
    private const long MaxBytes = 64 * 1024 * 1024;
    private const int MaxFilesOfKey = 200;
    private const int MaxFilesOfAddress = 1_000;

    private readonly Dictionary<string, long> _files = [];
    private readonly Dictionary<string, int> _shares = [];
    private readonly Lock _lock = new();
    private long _bytes;

    public int Count
    {
        get
        {
            lock (_lock)
                return _files.Count;
        }
    }

    /// <summary>Counts a file; false where there is no room for it.</summary>
    public bool TryAdd(SpoolFile file, long bytes)
    {
        lock (_lock)
        {
            if (_files.Count >= MaxFiles
                || _bytes + bytes > MaxBytes
                || Of(file.KeyShare) >= MaxFilesOfKey
                || Of(file.AddressShare) >= MaxFilesOfAddress)
                return false;
            Add(file, bytes);
            return true;
        }
    }

    public void Remove(SpoolFile file)
    {
        lock (_lock)
        {
            if (!_files.Remove(file.Name, out var bytes))
                return;
            _bytes -= bytes;
            Release(file.KeyShare);
            Release(file.AddressShare);
        }
    }

    /// <summary>Counts what an earlier process, or another one, has left there.</summary>
    public void Found(SpoolFile file, long bytes)
    {
        lock (_lock)
        {
            if (!_files.ContainsKey(file.Name))
                Add(file, bytes);
        }
    }

    /// <summary>Forgets files that are there no more.</summary>
    public void KeepOnly(IReadOnlySet<string> names)
    {
        string[] gone;
        lock (_lock)
            gone = [.. _files.Keys.Where(n => !names.Contains(n))];
        foreach (var name in gone)
        {
            if (SpoolFile.Parse(name) is { } file)
                Remove(file);
        }
    }

    private void Add(SpoolFile file, long bytes)
    {
        _files.Add(file.Name, bytes);
        _bytes += bytes;
        _shares[file.KeyShare] = Of(file.KeyShare) + 1;
        if (file.AddressShare != SpoolFile.NoAddress)
            _shares[file.AddressShare] = Of(file.AddressShare) + 1;
    }

    private int Of(string share) => _shares.GetValueOrDefault(share);

    private void Release(string share)
    {
        if (Of(share) is > 1 and var held)
            _shares[share] = held - 1;
        else
            _shares.Remove(share);
    }
}
