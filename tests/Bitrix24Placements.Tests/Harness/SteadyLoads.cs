using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Http.Headers;
using Bitrix24Placements.PortalSimulator;

namespace Bitrix24Placements.Tests.Harness;

/// <summary>Loads the worker's page without a pause and keeps the slowest answer. On threads of its own, so that it measures the service and not the test run's thread pool.</summary>
public sealed class SteadyLoads : IDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromSeconds(30) };
    private readonly ConcurrentQueue<string> _wrong = new();
    private readonly Uri _address;
    private readonly byte[] _body;
    private readonly Thread[] _threads;
    private long _worst;
    private long _stall;
    private int _count;
    private volatile bool _stopping;

    public SteadyLoads(ServiceProcess process, SimPortal portal)
    {
        var form = portal.LaunchFields("PAGE_BACKGROUND_WORKER", handler: new Uri(process.Url, "/placements/page-background-worker").AbsoluteUri);
        _address = form.Action;
        using var content = new FormUrlEncodedContent(form.Body);
        _body = content.ReadAsByteArrayAsync().GetAwaiter().GetResult();
        _threads = [new Thread(LoadOnAndOn), new Thread(LoadOnAndOn), new Thread(SleepOnAndOn)];
        foreach (var thread in _threads)
            thread.Start();
    }

    /// <summary>What was loaded while a fault held: under a second each, or so much more as the machine let a sleeping thread wait meanwhile.</summary>
    public async Task AssertFastAsync(string fault, Func<Task> whileItHolds)
    {
        Interlocked.Exchange(ref _worst, 0);
        Interlocked.Exchange(ref _stall, 0);
        Interlocked.Exchange(ref _count, 0);
        await whileItHolds();
        var (worst, stall, count) = (Interlocked.Read(ref _worst), Interlocked.Read(ref _stall), Volatile.Read(ref _count));
        TestContext.Current.TestOutputHelper?.WriteLine($"{fault}: {count} worker loads, the slowest {worst} ms (a sleeping thread of the machine: {stall} ms late)");
        Assert.Empty(_wrong);
        Assert.True(count > 5, $"{fault}: {count} loads");
        Assert.True(worst < 1000 + (3 * stall), $"{fault}: {worst} ms");
    }

    private void LoadOnAndOn()
    {
        while (!_stopping)
        {
            var started = Stopwatch.GetTimestamp();
            try
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, _address) { Content = new ByteArrayContent(_body) };
                request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/x-www-form-urlencoded");
                using var answer = _http.Send(request);
                if (!answer.IsSuccessStatusCode)
                    _wrong.Enqueue(answer.StatusCode.ToString());
            }
            catch (Exception e) when (e is HttpRequestException or OperationCanceledException or ObjectDisposedException)
            {
                if (!_stopping)
                    _wrong.Enqueue(e.Message);
            }

            Keep(ref _worst, started, 0);
            Interlocked.Increment(ref _count);
            Thread.Sleep(5);
        }
    }

    private void SleepOnAndOn()
    {
        while (!_stopping)
        {
            var started = Stopwatch.GetTimestamp();
            Thread.Sleep(5);
            Keep(ref _stall, started, 5);
        }
    }

    private static void Keep(ref long longest, long started, long expected)
    {
        var took = (long)Stopwatch.GetElapsedTime(started).TotalMilliseconds - expected;
        for (var seen = Interlocked.Read(ref longest); took > seen && Interlocked.CompareExchange(ref longest, took, seen) != seen;)
            seen = Interlocked.Read(ref longest);
    }

    public void Dispose()
    {
        _stopping = true;
        foreach (var thread in _threads)
            thread.Join();
        _http.Dispose();
    }
}
