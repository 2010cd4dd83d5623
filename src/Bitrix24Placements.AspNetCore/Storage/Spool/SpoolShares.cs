namespace Bitrix24Placements.Storage;

/// <summary>Bounds the spool in all, by key and by address, so that nobody takes the others' room.</summary>
internal sealed class SpoolShares
{
    private const int MaxFiles = 10_000;
    private const long MaxBytes = 64 * 1024 * 1024;
    private const int MaxFilesOfKey = 200;
    private const int MaxFilesOfAddress = 1_000;

    /// <summary>What strangers have sent leaves half of the room to refreshed tokens.</summary>
    private const long MaxBytesOfAddresses = MaxBytes / 2;
    private const long MaxBytesOfAddress = MaxBytesOfAddresses / 8;

    private readonly Dictionary<SpoolFile, long> _bytes = [];
    private readonly Lock _lock = new();

    public int Count
    {
        get
        {
            lock (_lock)
                return _bytes.Count;
        }
    }

    public bool TryAdd(SpoolFile file, long bytes)
    {
        lock (_lock)
        {
            var hasRoom = _bytes.Count < MaxFiles
                && BytesOf(_ => true) + bytes <= MaxBytes
                && _bytes.Keys.Count(f => f.KeyShare == file.KeyShare) < MaxFilesOfKey
                && (file.AddressShare == SpoolFile.NoAddress
                    || (_bytes.Keys.Count(f => f.AddressShare == file.AddressShare) < MaxFilesOfAddress
                        && _bytes.Keys.Count(f => f.AddressShare != SpoolFile.NoAddress) < MaxFiles / 2
                        && BytesOf(f => f.AddressShare == file.AddressShare) + bytes <= MaxBytesOfAddress
                        && BytesOf(f => f.AddressShare != SpoolFile.NoAddress) + bytes <= MaxBytesOfAddresses));
            return hasRoom && _bytes.TryAdd(file, bytes);
        }
    }

    private long BytesOf(Func<SpoolFile, bool> whose) => _bytes.Where(f => whose(f.Key)).Sum(f => f.Value);

    /// <summary>Counts what an earlier process, or another one, has left there.</summary>
    public void Add(SpoolFile file, long bytes)
    {
        lock (_lock)
            _bytes.TryAdd(file, bytes);
    }

    public void Remove(SpoolFile file)
    {
        lock (_lock)
            _bytes.Remove(file);
    }

    public void KeepOnly(IEnumerable<SpoolFile> files)
    {
        lock (_lock)
        {
            foreach (var gone in _bytes.Keys.Except(files).ToList())
                _bytes.Remove(gone);
        }
    }
}
