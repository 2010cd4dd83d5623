namespace Bitrix24Placements.Storage;

/// <summary>For what must not be lost while the database is away: small encrypted files, synced and bounded.</summary>
internal sealed partial class Spool(IOptions<StorageOptions> options, TokenVault vault, TimeProvider time, ILogger<Spool> logger)
{
    /// <summary>An event of 64 KiB, encrypted, is a fifth of it.</summary>
    private const int MaxEntryBytes = 1024 * 1024;

    public string Folder { get; } = Path.GetFullPath(options.Value.SpoolFolder);
    private readonly SpoolShares _shares = new();
    private bool _isTroubled;

    public int Count => _shares.Count;

    /// <summary>Writes as much as the payload will need. Null: there is no room.</summary>
    /// <param name="key">One line; given back with the payload.</param>
    public Task<SpoolPlace?> TakePlaceAsync(string kind, string key, int bytes, CancellationToken cancellationToken) =>
        PlaceAsync(
            kind, key, address: null, SpoolShares.MaxOfKey, new byte[SealedSize(bytes + Encoding.UTF8.GetByteCount(key))],
            cancellationToken);

    /// <summary>Until it is carried over. False: there is no room.</summary>
    /// <param name="address">A stranger's; else <see cref="SpoolFile.Known"/> or <see cref="SpoolFile.Unanswered"/>.</param>
    public async Task<bool> PutAsync(
        string kind, string key, string payload, string? address, CancellationToken cancellationToken, int maxOfKey = SpoolShares.MaxOfKey)
    {
        if (!vault.IsUsable
            || await PlaceAsync(kind, key, address, maxOfKey, Seal(kind, key, payload), cancellationToken) is not { } place)
            return false;
        place.Leave();
        await place.DisposeAsync();
        return true;
    }

    /// <summary>Null where another holds it, or it is gone.</summary>
    internal FileStream? Hold(SpoolFile file)
    {
        try
        {
            // Over processes, too, and let go by a kill.
            var stream = new FileStream(PathOf(file), FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            // Just made, and not yet held by its maker.
            if (stream.Length > 0 || DateTime.UtcNow - File.GetLastWriteTimeUtc(stream.Name) > TimeSpan.FromMinutes(1))
                return stream;
            stream.Dispose();
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Nothing where the place was only reserved. Null for what the disk does not give, or is none of ours.</summary>
    internal static async Task<ReadOnlyMemory<byte>?> ReadAsync(FileStream stream, CancellationToken cancellationToken)
    {
        if (stream.Length > MaxEntryBytes)
            return null;
        var bytes = new byte[stream.Length];
        try
        {
            await stream.ReadExactlyAsync(bytes, cancellationToken);
        }
        catch (IOException)
        {
            return null;
        }

        return bytes.AsMemory().TrimEnd((byte)0);
    }

    /// <summary>Null for what cannot be decrypted.</summary>
    internal (string Key, string Payload)? Open(SpoolFile file, ReadOnlyMemory<byte> content) =>
        vault.Unprotect(file.Kind, "spool", Encoding.ASCII.GetString(content.Span))?.Split('\n', 2) is [var key, var payload]
            ? (key, payload) : null;

    internal void Remove(SpoolFile file)
    {
        try
        {
            File.Delete(PathOf(file));
        }
        catch (DirectoryNotFoundException)
        {
            // Nor is the file.
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Trouble(e.Message);
            return;
        }

        _shares.Remove(file);
    }

    private async Task<SpoolPlace?> PlaceAsync(
        string kind, string key, string? address, int maxOfKey, byte[] content, CancellationToken cancellationToken)
    {
        var file = SpoolFile.New(kind, key, address, time.GetUtcNow());
        if (!_shares.TryAdd(file, content.Length, maxOfKey))
        {
            Trouble("it is full");
            return null;
        }

        FileStream? stream = null;
        try
        {
            MakeFolder();
            stream = OwnFile.Create(PathOf(file));
            await stream.WriteAsync(content, cancellationToken);
            stream.Flush(flushToDisk: true);
            Posix.SyncFolder(Folder);
            _isTroubled = false;
            return new(this, file, stream, payload => Seal(kind, key, payload));
        }
        catch (Exception e)
        {
            if (stream is not null)
                await stream.DisposeAsync();
            Remove(file);
            if (e is not (IOException or UnauthorizedAccessException))
                throw;
            Trouble(e.Message);
            return null;
        }
    }

    private void MakeFolder()
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(Folder);
        else
            Directory.CreateDirectory(Folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private byte[] Seal(string kind, string key, string payload)
    {
        if (key.Contains('\n'))
            throw new ArgumentException("A key is one line.", nameof(key));
        return Encoding.ASCII.GetBytes(vault.Protect(kind, "spool", key + "\n" + payload));
    }

    private static int SealedSize(int bytes) => ((bytes + 200) * 4 / 3) + 16;

    private string PathOf(SpoolFile file) => Path.Combine(Folder, file.Name);

    // One line for a full disk.
    private void Trouble(string reason)
    {
        if (!_isTroubled)
            Log.NoRoom(logger, Folder, reason);
        _isTroubled = true;
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "Nothing can be kept in the spool {Folder}: {Reason}")]
        public static partial void NoRoom(ILogger logger, string folder, string reason);
    }
}
