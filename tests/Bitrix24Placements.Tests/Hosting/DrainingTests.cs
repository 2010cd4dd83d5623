using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Hosting;

/// <summary>SIGTERM: first nobody is sent any more, then everybody is sent away, then the process ends.</summary>
public sealed class DrainingTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Kept_connections_are_answered_and_closed_and_no_request_is_lost()
    {
        await using var bitrix = await Bitrix24.StartAsync(cancellationToken: Token);
        await using var process = await ServiceProcess.StartAsync(new() { ["Shutdown:DrainSeconds"] = "3" });
        using var ready = await process.Http.GetAsync("/health/ready", Token);
        Assert.Equal((HttpStatusCode.OK, null), (ready.StatusCode, ready.Headers.ConnectionClose));
        var lost = new ConcurrentQueue<Exception>();
        var answered = 0;
        var clients = Enumerable.Range(0, 16).Select(_ => KeepAskingAsync(process.Url, lost, () => Interlocked.Increment(ref answered))).ToList();
        await Task.Delay(500, Token);

        var started = Stopwatch.GetTimestamp();
        var ended = process.TerminateAsync();
        await Task.WhenAll(clients);
        using var draining = await process.Http.GetAsync("/health/ready", Token);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, draining.StatusCode);
        Assert.Equal("draining", (string?)(await Service.JsonAsync(draining))["status"]);
        using var live = await process.Http.GetAsync("/health/live", Token);
        Assert.Equal((HttpStatusCode.OK, true), (live.StatusCode, live.Headers.ConnectionClose));

        Assert.Equal(0, await ended);
        Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(15));
        Assert.Empty(lost);
        Assert.True(answered > 16);
    }

    [Fact]
    public async Task In_Development_nobody_waits()
    {
        await using var process = await ServiceProcess.StartAsync(new() { ["ASPNETCORE_ENVIRONMENT"] = "Development", ["Shutdown:DrainSeconds"] = "" });
        var started = Stopwatch.GetTimestamp();
        Assert.Equal(0, await process.TerminateAsync());
        Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.Zero, TimeSpan.FromSeconds(4));
    }

    /// <summary>One connection, used over and over until it is told to be closed.</summary>
    private static async Task KeepAskingAsync(Uri url, ConcurrentQueue<Exception> lost, Action answered)
    {
        using var http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = 1, UseProxy = false }) { BaseAddress = url };
        try
        {
            for (var isKept = true; isKept;)
            {
                using var answer = await http.GetAsync("/", Token);
                Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
                isKept = answer.Headers.ConnectionClose != true;
                answered();
            }
        }
        catch (HttpRequestException e)
        {
            lost.Enqueue(e);
        }
    }
}
