namespace Bitrix24Placements.Storage;

/// <summary>Room on the disk for one entry, taken before there is anything to be kept. Disposing of it removes it: the database
/// has what it held.</summary>
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
    /// <exception cref="IOException">The payload is larger than the place, and the disk is full.</exception>
    public async Task WriteAsync(string payload, CancellationToken cancellationToken = default)
    {
        var content = _seal(payload);
        if (content.Length < _stream.Length)
            Array.Resize(ref content, (int)_stream.Length);
        _stream.Position = 0;
        await _stream.WriteAsync(content, cancellationToken);
        _stream.Flush(flushToDisk: true);
    }

    /// <summary>Leaves what was written to the spool, which carries it over.</summary>
    public void Leave() => _isLeft = true;

    public async ValueTask DisposeAsync()
    {
        await _stream.DisposeAsync();
        if (!_isLeft)
            _spool.Remove(_file);
    }
}
