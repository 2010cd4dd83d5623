using System.Diagnostics;
using System.Net;
using Bitrix24Placements.Refusals;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Placements;

/// <summary>A body has five seconds in all, and an address its share of those that are not finished.</summary>
public sealed class SlowBodyTests
{
    private const string Head =
        "POST /placements/page-background-worker HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 15000\r\n\r\n";

    [Theory]
    [InlineData("a=1&b=2&")]
    [InlineData("")]
    public async Task It_is_cut_after_five_seconds_with_408_and_no_stack_trace(string piece)
    {
        await using var service = await Service.StartInstalledAsync();
        using var slow = new RawConnection(service.Url);
        await slow.SendAsync(Head);
        var started = Stopwatch.StartNew();
        var answer = slow.ReadLineAsync(15);
        while (!answer.IsCompleted)
        {
            await slow.SendAsync(piece);
            await Task.WhenAny(answer, Task.Delay(500, TestContext.Current.CancellationToken));
        }

        Assert.StartsWith("HTTP/1.1 408 ", await answer, StringComparison.Ordinal);
        Assert.InRange(started.Elapsed.TotalSeconds, 4.5, 9);
        // The server waits a moment for the rest, so that the answer is not lost.
        await slow.ReadToEndAsync(15);
        Assert.DoesNotContain(service.Logs, static line => line.StartsWith("Error", StringComparison.Ordinal) || line.Contains("   at ", StringComparison.Ordinal));
        // What waits for its own body is no slow load of the service.
        Assert.DoesNotContain(service.Logs, static line => line.Contains("A worker load", StringComparison.Ordinal));
    }

    [Fact]
    public async Task One_that_takes_three_seconds_is_served_and_counts_as_no_slow_load()
    {
        await using var service = await Service.StartInstalledAsync();
        var form = service.Portal.LaunchFields("PAGE_BACKGROUND_WORKER");
        using var content = new FormUrlEncodedContent(form.Body);
        var body = await content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        using var slow = new RawConnection(service.Url);
        await slow.SendAsync(Head.Replace("15000", $"{body.Length}", StringComparison.Ordinal).Replace("page-background-worker", "page-background-worker" + form.Action.Query, StringComparison.Ordinal)
            .Replace("Host: x", "Host: x\r\nConnection: close", StringComparison.Ordinal));
        foreach (var piece in body.Chunk((body.Length / 6) + 1))
        {
            await slow.SendAsync(new string(piece));
            await Task.Delay(500, TestContext.Current.CancellationToken);
        }

        Assert.StartsWith("HTTP/1.1 200 ", await slow.ReadToEndAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_few_addresses_do_not_take_the_places_of_all()
    {
        var places = new Places(Microsoft.Extensions.Options.Options.Create(new LimitsOptions()), MemoryWatch.OfProcess());
        var context = new Microsoft.AspNetCore.Http.DefaultHttpContext();
        int Take(int address)
        {
            context.Connection.RemoteIpAddress = new IPAddress(address);
            return Enumerable.Range(0, 100).Count(_ => places.TryTakeForUnfinishedBody(context).IsTaken);
        }

        var taken = Enumerable.Range(1, 100).Select(Take).ToList();

        Assert.All(taken[..8], static t => Assert.Equal(Places.MaxUnfinishedBodiesPerAddress, t));
        Assert.Equal(7, taken[8]);
        Assert.Equal(taken.OrderDescending(), taken);
        Assert.True(taken[^1] > 0, "whoever is new finds a place");
    }

    [Fact]
    public async Task Beyond_an_addresss_share_they_are_refused_at_once_and_whole_bodies_are_served()
    {
        await using var service = await Service.StartInstalledAsync();
        var slow = Enumerable.Range(0, Places.MaxUnfinishedBodiesPerAddress + 10).Select(_ => new RawConnection(service.Url)).ToList();
        try
        {
            foreach (var connection in slow)
                await connection.SendAsync(Head + "a=1");
            using var whole = await service.WorkerAsync();
            Assert.Equal(HttpStatusCode.OK, whole.StatusCode);

            var answers = await Task.WhenAll(slow.Select(static c => c.ReadLineAsync(25)));
            Assert.Equal(10, answers.Count(static a => a.StartsWith("HTTP/1.1 503 ", StringComparison.Ordinal)));
            Assert.Equal(Places.MaxUnfinishedBodiesPerAddress, answers.Count(static a => a.StartsWith("HTTP/1.1 408 ", StringComparison.Ordinal)));
        }
        finally
        {
            slow.ForEach(static c => c.Dispose());
        }
    }

    [Theory]
    [InlineData("/placements/page-background-worker", 503)]
    [InlineData("/health/live", 405)]
    public async Task The_connection_of_one_that_was_refused_is_closed_within_a_second(string path, int status)
    {
        await using var service = await Service.StartInstalledAsync();
        var slow = Enumerable.Range(0, Places.MaxUnfinishedBodiesPerAddress).Select(_ => new RawConnection(service.Url)).ToList();
        try
        {
            foreach (var connection in slow)
                await connection.SendAsync(Head + "a=1");
            await Task.Delay(200, TestContext.Current.CancellationToken);
            using var refused = new RawConnection(service.Url);
            var started = Stopwatch.StartNew();
            await refused.SendAsync(Head.Replace("/placements/page-background-worker", path, StringComparison.Ordinal) + "a=1");

            Assert.StartsWith($"HTTP/1.1 {status} ", await refused.ReadToEndAsync(15), StringComparison.Ordinal);
            Assert.InRange(started.Elapsed.TotalSeconds, 0, 3);
        }
        finally
        {
            slow.ForEach(static c => c.Dispose());
        }
    }
}
