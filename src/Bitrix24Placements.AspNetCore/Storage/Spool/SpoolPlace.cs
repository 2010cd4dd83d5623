namespace Bitrix24Placements.Storage;

/// <summary>Room on the disk for one entry, taken before there is anything to keep. Disposing of it removes the entry.</summary>
internal sealed class SpoolPlace : IAsyncDisposable
{
    private readonly Spool _spool;
    private readonly SpoolFile _file;
    private readonly FileStream _stream;
    private readonly Func<string, byte[]> _seal;
    private bool _isLeft;

    internal SpoolPlace(Spool spool, SpoolFile file, FileStream stream, Func<string, byte[]> seal) =>
        (_spool, _file, _stream, _seal) = (spool, file, stream, seal);

    /// <summary>Returns when a power failure would not lose it.</summary>
    public async Task WriteAsync(string payload, CancellationToken cancellationToken = default)
    {
        var content = _seal(payload);
        if (content.Length < _stream.Length)
            Array.Resize(ref content, (int)_stream.Length);
        _stream.Position = 0;
        await _stream.WriteAsync(content, cancellationToken);
        _stream.Flush(flushToDisk: true);
    }

    public void Leave() => _isLeft = true;

    public async ValueTask DisposeAsync()
    {
        await _stream.DisposeAsync();
        if (!_isLeft)
            _spool.Remove(_file);
    }
}
