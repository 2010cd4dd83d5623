namespace Bitrix24Placements.Storage;

/// <summary>Room on the disk, taken before there is anything to keep. Disposing removes the entry.</summary>
internal sealed class SpoolPlace(Spool spool, SpoolFile file, FileStream stream, Func<string, byte[]> seal) : IAsyncDisposable
{
    private bool _isLeft;

    /// <summary>Returns when a power failure would not lose it.</summary>
    public async Task WriteAsync(string payload)
    {
        var content = seal(payload);
        if (content.Length < stream.Length)
            Array.Resize(ref content, (int)stream.Length);
        stream.Position = 0;
        await stream.WriteAsync(content);
        stream.Flush(flushToDisk: true);
    }

    public void Leave() => _isLeft = true;

    public async ValueTask DisposeAsync()
    {
        await stream.DisposeAsync();
        if (!_isLeft)
            spool.Remove(file);
    }
}
