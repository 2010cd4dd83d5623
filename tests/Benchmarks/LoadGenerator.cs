using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Benchmarks;

/// <param name="PerSecond">Answers per second.</param>
/// <param name="P50">Milliseconds.</param>
/// <param name="Failures">Answers that were not 200, and connections that broke.</param>
internal sealed record LoadResult(double PerSecond, double P50, double P99, double Max, int Failures);

/// <summary>Sends one prepared request over keep-alive connections on loopback, bounded in time. Raw sockets: the client shares the machine's two cores with what it measures.</summary>
internal static class LoadGenerator
{
    public static byte[] Prepare(int port, string pathAndQuery, string body) => Encoding.ASCII.GetBytes(
        $"POST {pathAndQuery} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: text/html\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {body.Length}\r\n\r\n{body}");

    /// <summary>Every connection sends the next request when its answer is there.</summary>
    public static Task<LoadResult> AtFullSpeedAsync(int port, byte[] request, int connections, TimeSpan duration) =>
        RunAsync(port, request, connections, duration, static (_, _) => 0);

    /// <summary>Request i is due at i/rate whatever has become of the others, and is timed from then: a stall is not hidden.</summary>
    public static Task<LoadResult> AtRateAsync(int port, byte[] request, int connections, TimeSpan duration, double perSecond) =>
        RunAsync(port, request, connections, duration, (connection, i) => (((double)i * connections) + connection) / perSecond);

    private static async Task<LoadResult> RunAsync(int port, byte[] request, int connections, TimeSpan duration, Func<int, int, double> dueSeconds)
    {
        var latencies = new List<double>[connections];
        var failures = 0;
        var start = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, connections).Select(connection => Task.Run(async () =>
        {
            latencies[connection] = [];
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(IPAddress.Loopback, port);
            var buffer = new byte[64 * 1024];
            for (var i = 0; Stopwatch.GetElapsedTime(start) < duration; i++)
            {
                var due = start + (long)(dueSeconds(connection, i) * Stopwatch.Frequency);
                if (Stopwatch.GetElapsedTime(start, due) > duration)
                    return;
                await WaitAsync(due);
                var from = Math.Max(due, dueSeconds(connection, i) == 0 ? Stopwatch.GetTimestamp() : due);
                await socket.SendAsync(request);
                if (!await ReadAsync(socket, buffer))
                    Interlocked.Increment(ref failures);
                latencies[connection].Add(Stopwatch.GetElapsedTime(from).TotalMilliseconds);
            }
        })));
        var took = Stopwatch.GetElapsedTime(start).TotalSeconds;
        var all = latencies.SelectMany(static l => l).Order().ToArray();
        return new(all.Length / took, At(all, 0.5), At(all, 0.99), all.Length == 0 ? 0 : all[^1], failures);
    }

    private static async Task WaitAsync(long due)
    {
        var left = Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), due);
        if (left > TimeSpan.FromMilliseconds(1))
            await Task.Delay(left);
    }

    /// <summary>Reads one answer with a Content-Length; true where it is a 200.</summary>
    private static async Task<bool> ReadAsync(Socket socket, byte[] buffer)
    {
        var length = 0;
        while (true)
        {
            var read = await socket.ReceiveAsync(buffer.AsMemory(length));
            if (read == 0)
                return false;
            length += read;
            var end = buffer.AsSpan(0, length).IndexOf("\r\n\r\n"u8);
            if (end < 0)
                continue;
            if (length >= end + 4 + ContentLength(buffer.AsSpan(0, end)))
                return buffer.AsSpan(9, 3).SequenceEqual("200"u8);
        }
    }

    private static int ContentLength(ReadOnlySpan<byte> head)
    {
        var at = head.IndexOf("Content-Length: "u8);
        return at >= 0 && System.Buffers.Text.Utf8Parser.TryParse(head[(at + 16)..], out int length, out _) ? length : 0;
    }

    private static double At(double[] sorted, double quantile) => sorted.Length == 0 ? 0 : sorted[Math.Min(sorted.Length - 1, (int)(quantile * sorted.Length))];
}
