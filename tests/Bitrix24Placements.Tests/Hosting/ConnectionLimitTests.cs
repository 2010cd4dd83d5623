using System.Net;
using System.Net.Sockets;
using Bitrix24Placements.Hosting;
using Bitrix24Placements.Refusals;
using Bitrix24Placements.Tests.Harness;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Bitrix24Placements.Tests.Hosting;

/// <summary>Who opens connections and leaves them open, in whatever state, takes no memory for long, and keeps nobody out.</summary>
public sealed class ConnectionLimitTests
{
    private const int Max = 8;
    private const string Head = "POST /placements/page-background-worker HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n";

    [Theory]
    [InlineData("")]
    [InlineData("GET /health/live HTTP/1.1\r\nHost: x\r\nX: half")]
    [InlineData("GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")]
    public async Task Those_idle_for_the_longest_are_closed_and_those_with_a_request_are_not(string sent)
    {
        await using var service = await Service.StartAsync(services: static s => s.AddSingleton(LimitWith(MemoryWatch.OfProcess())));
        using var busy = new RawConnection(service.Url);
        await busy.SendAsync($"{Head}Content-Length: 8\r\nConnection: close\r\n\r\na=b");
        using var oldest = new RawConnection(service.Url);
        await oldest.SendAsync(sent);
        List<RawConnection> newer = [];
        for (var i = 0; i < Max; i++)
        {
            // The oldest has more than its two seconds of grace, the others less.
            await Task.Delay(i == 0 ? 2200 : 50, TestContext.Current.CancellationToken);
            var connection = new RawConnection(service.Url);
            newer.Add(connection);
            await connection.SendAsync(sent);
        }

        await oldest.ReadToEndAsync();
        using var newest = new RawConnection(service.Url);
        await newest.SendAsync("GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 200", await newest.ReadToEndAsync(), StringComparison.Ordinal);
        await busy.SendAsync("&c=de");
        Assert.StartsWith("HTTP/1.1 400", await busy.ReadToEndAsync(), StringComparison.Ordinal);
        newer.ForEach(static connection => connection.Dispose());
    }

    [Fact]
    public async Task A_connection_is_as_new_as_its_last_request()
    {
        await using var service = await Service.StartAsync(services: static s => s.AddSingleton(LimitWith(MemoryWatch.OfProcess())));
        using var used = new RawConnection(service.Url);
        List<RawConnection> others = [];
        for (var i = 0; i < Max * 2; i++)
        {
            await used.SendAsync("GET /health/live HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
            await Task.Delay(300, TestContext.Current.CancellationToken);
            others.Add(new(service.Url));
        }

        await used.SendAsync("GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");

        var answers = await used.ReadToEndAsync();
        Assert.Equal((Max * 2) + 1, answers.Split("HTTP/1.1 200").Length - 1);
        others.ForEach(static connection => connection.Dispose());
    }

    [Fact]
    public async Task While_memory_is_full_an_address_that_has_a_connection_gets_no_other()
    {
        var (served, end) = (0, new TaskCompletionSource());
        var watch = LimitWith(new MemoryWatch(available: 1)).Watch(_ =>
        {
            served++;
            return end.Task;
        });
        Task ConnectAsync(string address) => watch(new DefaultConnectionContext { RemoteEndPoint = new IPEndPoint(IPAddress.Parse(address), 1) });

        var first = ConnectAsync("192.0.2.1");
        await ConnectAsync("192.0.2.1");
        var others = ConnectAsync("192.0.2.2");
        Assert.Equal(2, served);

        end.SetResult();
        await Task.WhenAll(first, others);
        await ConnectAsync("192.0.2.1");
        Assert.Equal(3, served);
    }

    [Theory]
    [InlineData(32, 32)]
    [InlineData(256, 128)]
    public async Task In_a_crowd_an_address_that_has_its_share_gets_no_other(int max, int share)
    {
        var (served, end) = (0, new TaskCompletionSource());
        var watch = LimitWith(new MemoryWatch(available: long.MaxValue), max: max).Watch(_ =>
        {
            served++;
            return end.Task;
        });
        Task ConnectAsync(string address) => watch(new DefaultConnectionContext { RemoteEndPoint = new IPEndPoint(IPAddress.Parse(address), 1) });

        List<Task> all = [.. Enumerable.Range(0, max * 4).Select(_ => ConnectAsync("192.0.2.1"))];
        Assert.Equal(max * 2, served);
        all.AddRange(Enumerable.Range(0, max * 2).Select(_ => ConnectAsync("192.0.2.2")));
        Assert.Equal((max * 2) + share, served);

        end.SetResult();
        await Task.WhenAll(all);
    }

    [Fact]
    public async Task Who_keeps_more_than_his_share_busy_loses_some_and_those_who_have_been_idle_for_longer_do_not()
    {
        List<(string Address, DefaultConnectionContext Connection)> open = [];
        var end = new TaskCompletionSource();
        var watch = LimitWith(new MemoryWatch(available: long.MaxValue), max: 64).Watch(_ => end.Task);
        List<Task> all = [];
        async Task ConnectAsync(string address)
        {
            open.Add((address, new() { RemoteEndPoint = new IPEndPoint(IPAddress.Parse(address), 1) }));
            all.Add(watch(open[^1].Connection));
            var context = new DefaultHttpContext();
            context.Features.Set(open[^1].Connection.Features.Get<OpenConnection>());
            await OpenConnection.WhileBusyAsync(context, static _ => Task.CompletedTask);
        }

        for (var i = 0; i < 20; i++)
            await ConnectAsync("192.0.2.1");
        await Task.Delay(1500, TestContext.Current.CancellationToken);
        for (var i = 0; i < 80; i++)
            await ConnectAsync("192.0.2.2");
        await Task.Delay(700, TestContext.Current.CancellationToken);
        await ConnectAsync("192.0.2.3");
        // They are told by the pool.
        await Task.Delay(300, TestContext.Current.CancellationToken);

        var closed = open.Where(static o => o.Connection.ConnectionClosed.IsCancellationRequested).Select(static o => o.Address).ToList();
        Assert.Equal(Enumerable.Repeat("192.0.2.2", (100 - 64) + 2), closed);
        end.SetResult();
        await Task.WhenAll(all);
    }

    [Fact]
    public async Task A_known_proxys_connections_are_somebodys()
    {
        var (served, end) = (0, new TaskCompletionSource());
        var watch = LimitWith(new MemoryWatch(available: 1), knownProxy: "192.0.2.1").Watch(_ =>
        {
            served++;
            return end.Task;
        });

        var all = Enumerable.Range(0, Max * 4).Select(_ => watch(new DefaultConnectionContext { RemoteEndPoint = new IPEndPoint(IPAddress.Parse("::ffff:192.0.2.1"), 1) })).ToList();

        Assert.Equal(Max * 4, served);
        end.SetResult();
        await Task.WhenAll(all);
    }

    /// <summary>Tests come from this machine, which is a known proxy unless another is named.</summary>
    private static ConnectionLimit LimitWith(MemoryWatch memory, string? knownProxy = null, int max = Max)
    {
        var proxies = new ForwardedHeadersOptions();
        proxies.KnownIPNetworks.Clear();
        proxies.KnownProxies.Clear();
        if (knownProxy is not null)
            proxies.KnownProxies.Add(IPAddress.Parse(knownProxy));
        return new(memory, Options.Create(proxies), max);
    }

    /// <summary>What the system keeps for who reads nothing counts to a container, and would be megabytes.</summary>
    [Fact]
    public async Task The_systems_buffers_of_a_connection_do_not_grow()
    {
        await using var service = await Service.StartAsync();
        var transport = service.Get<IOptions<SocketTransportOptions>>().Value;
        using var listening = transport.CreateBoundListenSocket(new IPEndPoint(IPAddress.Loopback, 0));
        listening.Listen();
        using var client = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(listening.LocalEndPoint!, TestContext.Current.CancellationToken);
        using var accepted = await listening.AcceptAsync(TestContext.Current.CancellationToken);

        Assert.InRange(accepted.SendBufferSize, 1, 128 * 1024);
        Assert.InRange(accepted.ReceiveBufferSize, 1, 128 * 1024);
    }

    [Theory]
    [InlineData(1000, 2000, false)]
    [InlineData(4000, 10, true)]
    [InlineData(10, 5000, true)]
    public async Task After_a_large_head_a_connection_is_closed(int address, int cookies, bool isClosed)
    {
        await using var service = await Service.StartAsync(new() { ["ForwardedHeaders:KnownProxies:0"] = "192.0.2.1" });
        using var request = new HttpRequestMessage(HttpMethod.Get, "/health/live?" + new string('x', address));
        request.Headers.Add("Cookie", new string('c', cookies));
        using var answer = await service.Http.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(isClosed, answer.Headers.ConnectionClose == true);
    }

    /// <summary>Of HTTP/2 each connection could hold a hundred answers that nobody reads.</summary>
    [Theory]
    [InlineData(null, "1.1")]
    [InlineData("Http1AndHttp2", "2.0")]
    public async Task Over_https_the_server_speaks_http_1_unless_told_otherwise(string? protocols, string version)
    {
        var folder = Directory.CreateTempSubdirectory("b24p-");
        var (port, url) = (Service.FreePort(), $"https://127.0.0.1:{Service.FreePort()}");
        await using var process = await ServiceProcess.StartAsync(new()
        {
            ["ASPNETCORE_URLS"] = $"{url};http://127.0.0.1:{port}",
            ["Kestrel:EndpointDefaults:Protocols"] = protocols,
            ["Kestrel:Certificates:Default:Path"] = Certificates.Make(folder, "https"),
            ["Kestrel:Certificates:Default:Password"] = Certificates.Password,
        }, port);
        using var handler = new SocketsHttpHandler { UseProxy = false, SslOptions = { RemoteCertificateValidationCallback = static (_, certificate, _, _) => certificate?.Subject == "CN=https" } };
        using var client = new HttpClient(handler) { DefaultRequestVersion = new(2, 0), DefaultVersionPolicy = HttpVersionPolicy.RequestVersionOrLower };

        using var answer = await client.GetAsync(new Uri(url + "/health/live"), TestContext.Current.CancellationToken);

        Assert.Equal(version, answer.Version.ToString());
        folder.Delete(recursive: true);
    }
}
