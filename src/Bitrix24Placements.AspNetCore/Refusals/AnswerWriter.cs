using System.IO.Pipelines;
using Microsoft.AspNetCore.Http.Features;

namespace Bitrix24Placements.Refusals;

/// <summary>The answer to somebody who may not read. It waits for him in a place for unread answers, not in the request's, and not for
/// long: the server's own limit counts all that a connection has ever read, and so may wait for hours. A handler that goes on afterwards
/// has no place.</summary>
internal sealed class AnswerWriter(HttpContext context, IHttpResponseBodyFeature answer, Places places, TimeProvider time)
    : PipeWriter, IHttpResponseBodyFeature
{
    /// <summary>And a second for each 16 KiB.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    private const double BytesPerSecond = 16 * 1024;

    private readonly PipeWriter _writer = answer.Writer;

    /// <summary>Given back when the answer has to wait.</summary>
    public Place Place { get; set; } = Place.None;

    public PipeWriter Writer => this;

    public Stream Stream => AsStream(leaveOpen: true);

    public override bool CanGetUnflushedBytes => _writer.CanGetUnflushedBytes;

    public override long UnflushedBytes => _writer.UnflushedBytes;

    public override void Advance(int bytes) => _writer.Advance(bytes);

    public override Memory<byte> GetMemory(int sizeHint = 0) => _writer.GetMemory(sizeHint);

    public override Span<byte> GetSpan(int sizeHint = 0) => _writer.GetSpan(sizeHint);

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        var bytes = CanGetUnflushedBytes ? UnflushedBytes : 0;
        var taken = _writer.FlushAsync(cancellationToken);
        return taken.IsCompleted ? taken : new(WaitAsync(taken.AsTask(), bytes));
    }

    public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
    {
        var taken = _writer.WriteAsync(source, cancellationToken);
        return taken.IsCompleted ? taken : new(WaitAsync(taken.AsTask(), source.Length));
    }

    public override void CancelPendingFlush() => _writer.CancelPendingFlush();

    public override void Complete(Exception? exception = null) => _writer.Complete(exception);

    public void DisableBuffering() => answer.DisableBuffering();

    public Task StartAsync(CancellationToken cancellationToken = default) => answer.StartAsync(cancellationToken);

    public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) =>
        SendFileFallback.SendFileAsync(Stream, path, offset, count, cancellationToken);

    Task IHttpResponseBodyFeature.CompleteAsync()
    {
        var taken = answer.CompleteAsync();
        return taken.IsCompleted ? taken : WaitAsync(TrueAsync(taken), 0);
    }

    private static async Task<bool> TrueAsync(Task task)
    {
        await task;
        return true;
    }

    private async Task<T> WaitAsync<T>(Task<T> taken, long bytes)
    {
        Place.Dispose();
        using var unread = places.TryTakeForUnreadAnswer(context, bytes);
        if (!unread.IsTaken)
            context.Abort();
        await using var timer = time.CreateTimer(static c => ((HttpContext)c!).Abort(), context,
            Timeout + TimeSpan.FromSeconds(bytes / BytesPerSecond), System.Threading.Timeout.InfiniteTimeSpan);
        return await taken;
    }
}
