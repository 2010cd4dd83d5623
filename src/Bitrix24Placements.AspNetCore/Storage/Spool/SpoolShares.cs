namespace Bitrix24Placements.Storage;

/// <summary>Bounds the spool by key, by address and in all: nobody takes the others' room.</summary>
internal sealed class SpoolShares
{
    // A third for strangers, a third for the known; nearly all else for refreshed tokens.
    private const int MaxFiles = MaxFilesOfRoom * 3;
    private const long MaxBytes = MaxBytesOfRoom * 3;
    private const int MaxFilesOfRoom = 5_000;
    private const long MaxBytesOfRoom = 32 * 1024 * 1024;

    public const int MaxOfKey = 200;

    // Their portals can see to it that nobody answers.
    private const int MaxUnansweredOfKey = 10, MaxUnanswered = 500;

    private const int MaxFilesOfAddress = 1_000;
    private const long MaxBytesOfShare = MaxBytesOfRoom / 8;

    private readonly ConcurrentDictionary<SpoolFile, long> _bytes = new();
    private readonly Lock _adding = new();

    public int Count => _bytes.Count;

    public IEnumerable<SpoolFile> OfKey(string keyShare) => _bytes.Select(f => f.Key).Where(f => f.KeyShare == keyShare);

    public bool TryAdd(SpoolFile file, long bytes, int maxOfKey)
    {
        var (files, size) = file.AddressShare switch
        {
            SpoolFile.NoAddress => (MaxFiles, MaxBytes),
            SpoolFile.Known => (MaxFilesOfRoom, MaxBytesOfRoom),
            SpoolFile.Unanswered => (MaxUnanswered, MaxBytesOfShare),
            _ => (MaxFilesOfAddress, MaxBytesOfShare),
        };
        var ofKey = file.AddressShare == SpoolFile.Unanswered ? MaxUnansweredOfKey : maxOfKey;
        lock (_adding)
        {
            return HasRoom(bytes, _ => true, MaxFiles, MaxBytes)
                && HasRoom(bytes, f => f.AddressShare == file.AddressShare, files, size)
                // A stranger who names a portal takes nothing of its share.
                && HasRoom(bytes, f => f.KeyShare == file.KeyShare && f.AddressShare == file.AddressShare, ofKey, MaxBytesOfShare)
                && (!file.IsOfStranger || HasRoom(bytes, f => f.IsOfStranger, MaxFilesOfRoom, MaxBytesOfRoom))
                && _bytes.TryAdd(file, bytes);
        }
    }

    private bool HasRoom(long bytes, Func<SpoolFile, bool> whose, int maxFiles, long maxBytes)
    {
        var files = 0;
        foreach (var (file, size) in _bytes)
        {
            if (whose(file))
                (files, bytes) = (files + 1, bytes + size);
        }

        return files < maxFiles && bytes <= maxBytes;
    }

    /// <summary>Left there by an earlier process, or another one.</summary>
    public void Add(SpoolFile file, long bytes) => _bytes.TryAdd(file, bytes);

    public void Remove(SpoolFile file) => _bytes.TryRemove(file, out _);

    public void KeepOnly(IEnumerable<SpoolFile> files)
    {
        foreach (var gone in _bytes.Keys.Except(files))
            Remove(gone);
    }
}
