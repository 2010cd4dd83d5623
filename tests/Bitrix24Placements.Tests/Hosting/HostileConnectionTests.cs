using System.Diagnostics;
using System.Net;
using System.Text;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Hosting;

/// <summary>What no browser and no portal would send.</summary>
public sealed class HostileConnectionTests(SharedInstalledService shared)
{
    private const string Worker = "/placements/page-background-worker";
    private const string Form = "Content-Type: application/x-www-form-urlencoded\r\n";

    private Service Service => shared.Service;

    [Theory]
    [InlineData("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n")]
    [InlineData("Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcde")]
    [InlineData("Content-Length: 5, 5\r\n\r\nabcde")]
    [InlineData("Content-Length: -1\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n80000000\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n")]
    [InlineData("Content-Length: 5\n\nabcde")]
    [InlineData("X: a\nContent-Length: 5\r\n\r\nabcde")]
    [InlineData("X: a\r\n Content-Length: 5\r\n\r\n")]
    [InlineData("X: a\0b\r\n\r\n")]
    public async Task What_follows_a_request_that_two_servers_could_read_differently_is_not_served(string rest)
    {
        using var connection = new RawConnection(Service.Url);
        await connection.SendAsync($"POST {Worker} HTTP/1.1\r\nHost: x\r\n{Form}{rest}GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n");

        var answer = await connection.ReadToEndAsync();

        Assert.StartsWith("HTTP/1.1 4", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("live", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Large_headers_are_refused()
    {
        using var headers = new RawConnection(Service.Url);
        await headers.SendAsync($"GET / HTTP/1.1\r\nHost: x\r\nX: {new string('x', 17_000)}\r\n\r\n");
        using var many = new RawConnection(Service.Url);
        await many.SendAsync($"GET / HTTP/1.1\r\nHost: x\r\n{string.Concat(Enumerable.Range(0, 200).Select(static i => $"X{i}: x\r\n"))}\r\n");
        using var line = new RawConnection(Service.Url);
        await line.SendAsync($"GET /{new string('x', 20_000)} HTTP/1.1\r\nHost: x\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 431", await headers.ReadToEndAsync(), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 431", await many.ReadToEndAsync(), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 414", await line.ReadToEndAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_lets_headers_or_a_body_drip_is_cut_off()
    {
        using var headers = new RawConnection(Service.Url);
        await headers.SendAsync($"POST {Worker} HTTP/1.1\r\nHost: x\r\n");
        using var body = new RawConnection(Service.Url);
        await body.SendAsync($"POST {Worker} HTTP/1.1\r\nHost: x\r\n{Form}Content-Length: 60000\r\n\r\n");

        var cut = await Task.WhenAll(headers.DripAsync("X: x\r\n", 30), body.DripAsync("a=b&", 30));

        Assert.All(cut, static c => Assert.True(c.Took < TimeSpan.FromSeconds(20), c.Took.ToString()));
        Assert.All(cut, static c => Assert.True(c.Answer.Length == 0 || c.Answer.StartsWith("HTTP/1.1 4", StringComparison.Ordinal), c.Answer));
    }

    [Fact]
    public async Task A_connection_that_is_reset_while_its_body_comes_is_no_error()
    {
        var connections = Enumerable.Range(0, 200).Select(_ => new RawConnection(Service.Url)).ToList();
        foreach (var connection in connections)
            await connection.SendAsync($"POST {Worker} HTTP/1.1\r\nHost: x\r\n{Form}Content-Length: 60000\r\n\r\na=b");
        await Task.Delay(500, TestContext.Current.CancellationToken);
        connections.ForEach(static connection => connection.Reset());
        await Task.Delay(500, TestContext.Current.CancellationToken);

        Assert.DoesNotContain(Service.Logs, static line => line.Contains("could not be served", StringComparison.Ordinal));
    }

    /// <summary>A line for each would let anybody fill the disk.</summary>
    [Theory]
    [InlineData("/placements/page-background-worker", true)]
    [InlineData("/placements/page-background-worker", false)]
    [InlineData("/api/signals", true)]
    [InlineData("/api/signals", false)]
    [InlineData("/nothing", true)]
    [InlineData("/nothing", false)]
    public async Task Who_goes_away_in_the_middle_of_a_body_leaves_no_line_in_the_log(string path, bool isReset)
    {
        await using var service = await Service.StartAsync();
        var before = service.Logs.Count;
        foreach (var length in (string[])["Content-Length: 5000\r\n\r\na=b", "Transfer-Encoding: chunked\r\n\r\n3\r\na=b\r\n"])
        {
            using var connection = new RawConnection(service.Url);
            await connection.SendAsync($"POST {path} HTTP/1.1\r\nHost: x\r\n{Form}{length}");
            await Task.Delay(100, TestContext.Current.CancellationToken);
            if (isReset)
                connection.Reset();
        }

        await Task.Delay(1000, TestContext.Current.CancellationToken);

        Assert.Empty(service.Logs.Skip(before));
    }

    [Fact]
    public async Task A_flood_of_fields_costs_nothing()
    {
        var body = Encoding.ASCII.GetBytes(string.Join('&', Enumerable.Range(0, 10_500).Select(static i => $"{(char)('a' + (i % 26))}{i % 1000}=")));
        Assert.InRange(body.Length, 50_000, 64 * 1024);
        var started = Stopwatch.StartNew();
        for (var i = 0; i < 50; i++)
        {
            using var content = new ByteArrayContent(body);
            content.Headers.ContentType = new("application/x-www-form-urlencoded");
            using var answer = await Service.Http.PostAsync(Worker, content, TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"50 floods of 10500 fields: {started.ElapsedMilliseconds} ms");
        Assert.True(started.Elapsed < TimeSpan.FromSeconds(10), started.Elapsed.ToString());
    }
}
