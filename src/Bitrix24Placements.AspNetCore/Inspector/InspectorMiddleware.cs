using System.Buffers;
using System.Diagnostics;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;

namespace Bitrix24Placements.Inspector;

/// <summary>Keeps every form that is posted, as far as it was read, and what became of it.</summary>
internal sealed class InspectorMiddleware(RequestDelegate next, Inspections inspections)
{
    public Task InvokeAsync(HttpContext context) =>
        HttpMethods.IsPost(context.Request.Method) && context.Request.HasFormContentType ? WatchAsync(context) : next(context);

    private async Task WatchAsync(HttpContext context)
    {
        var (request, started) = (context.Request, Stopwatch.GetTimestamp());
        var tap = new BodyTap(request.BodyReader);
        context.Features.Set<IRequestBodyPipeFeature>(tap);
        inspections.Begin();
        await next(context);
        var body = Encoding.Latin1.GetString(tap.Taken.Span);
        var fields = QueryHelpers.ParseQuery(request.QueryString.Value).Concat(QueryHelpers.ParseQuery(body));
        // A path may hold a key; its pattern does not.
        var title = (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? request.Path.Value;
        inspections.AddRequest(title ?? "", new(request.Path + request.QueryString, body, request.Headers.Accept.ToString()),
            context.Response.StatusCode, fields.Select(static f => KeyValuePair.Create(f.Key, f.Value.ToString())),
            Stopwatch.GetElapsedTime(started));
    }

    /// <summary>Copies what is taken from the body; whoever reads it sees no difference.</summary>
    private sealed class BodyTap(PipeReader reader) : PipeReader, IRequestBodyPipeFeature
    {
        private const int MaxBytes = 64 * 1024;

        private readonly ArrayBufferWriter<byte> _taken = new();
        private ReadOnlySequence<byte> _read;

        public PipeReader Reader => this;

        public ReadOnlyMemory<byte> Taken => _taken.WrittenMemory;

        public override bool TryRead(out ReadResult result)
        {
            var isRead = reader.TryRead(out result);
            _read = result.Buffer;
            return isRead;
        }

        public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
        {
            var result = await reader.ReadAsync(cancellationToken);
            _read = result.Buffer;
            return result;
        }

        public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

        public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
        {
            var taken = _read.Slice(_read.Start, consumed);
            if (_taken.WrittenCount + taken.Length <= MaxBytes)
            {
                foreach (var piece in taken)
                    _taken.Write(piece.Span);
            }

            reader.AdvanceTo(consumed, examined);
        }

        public override void CancelPendingRead() => reader.CancelPendingRead();

        public override void Complete(Exception? exception = null) => reader.Complete(exception);
    }
}
