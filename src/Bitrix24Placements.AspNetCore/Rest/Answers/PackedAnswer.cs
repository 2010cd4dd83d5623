using System.IO.Compression;

namespace Bitrix24Placements.Rest;

/// <summary>What is packed has a limit, too: its blocks may unpack to nothing, and keep a processor busy as long as they come.</summary>
internal sealed class PackedAnswer(Stream packed, int maxBytes) : Stream
{
    /// <summary>The only one that is asked for.</summary>
    public const string ContentEncoding = "gzip";

    private int _read;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public static async Task<Stream> OpenAsync(HttpContent content, int maxBytes, CancellationToken cancellationToken)
    {
        var stream = await content.ReadAsStreamAsync(cancellationToken);
        return content.Headers.ContentEncoding.Contains(ContentEncoding, StringComparer.OrdinalIgnoreCase)
            ? new GZipStream(new PackedAnswer(stream, maxBytes), CompressionMode.Decompress) : stream;
    }

    public override int Read(byte[] buffer, int offset, int count) => Count(packed.Read(buffer, offset, count));

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        Count(await packed.ReadAsync(buffer, cancellationToken));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            packed.Dispose();
        base.Dispose(disposing);
    }

    private int Count(int read) => (_read += read) < maxBytes ? read : throw new AnswerTooLargeException();
}
