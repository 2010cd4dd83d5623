using System.IO.Pipelines;
using System.Net;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Refusals;
using Bitrix24Placements.Tests.Harness;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;

namespace Bitrix24Placements.Tests.Refusals;

/// <summary>Who sends request after request and reads no answer keeps nobody from being served, and is not waited for.</summary>
public sealed class UnreadAnswerTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("PAGE_BACKGROUND_WORKER", "/placements/page-background-worker")]
    [InlineData("REST_APP_URI", "/placements/rest-app-uri")]
    public async Task It_takes_no_place_and_ends(string placement, string path)
    {
        // One place for a portal from one address.
        await using var service = await Service.StartInstalledAsync(new() { ["Limits:ConcurrentWorkerLoads"] = "16", ["Limits:ConcurrentRequests"] = "16" });
        var form = service.Portal.LaunchFields(placement, handler: new Uri(service.Url, path).AbsoluteUri);
        using var first = await service.PostAsync(form);
        Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        using var deaf = new RawConnection(service.Url, receiveBuffer: 2048);
        var ended = await SendUntilNothingIsTakenAsync(deaf, await RequestAsync(form));

        await service.EventuallyAsync(async () =>
        {
            using var served = await service.PostAsync(form);
            return served.StatusCode == HttpStatusCode.OK;
        }, "others are served");
        await ended.WaitAsync(TimeSpan.FromSeconds(20), Token);
    }

    [Theory]
    [InlineData("GET", "app.css")]
    [InlineData("GET", "../nothing")]
    [InlineData("GET", "../health/live")]
    [InlineData("PUT", "../install")]
    public async Task It_ends_whatever_is_asked_for(string method, string path)
    {
        await using var service = await Service.StartAsync();
        using var deaf = new RawConnection(service.Url, receiveBuffer: 2048);
        var address = new Uri(service.Url, $"{PageFrame.FilesPath}/{path}");

        var ended = await SendUntilNothingIsTakenAsync(deaf, $"{method} {address.AbsolutePath} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");

        await ended.WaitAsync(TimeSpan.FromSeconds(20), Token);
    }

    [Theory]
    [InlineData((int)RequestKind.Worker, true)]
    [InlineData((int)RequestKind.Person, true)]
    [InlineData((int)RequestKind.Api, true)]
    [InlineData((int)RequestKind.Installation, true)]
    [InlineData((int)RequestKind.InstallationRun, false)]
    [InlineData((int)RequestKind.Doctor, false)]
    public async Task Its_place_is_another_ones_while_it_waits_unless_there_is_work_to_be_told_of(int kind, bool isGivenBack)
    {
        var places = new Places(Options.Create(new LimitsOptions { ConcurrentRequests = 1, ConcurrentWorkerLoads = 1 }), MemoryWatch.OfProcess());
        var context = new DefaultHttpContext();
        context.Connection.RemoteIpAddress = IPAddress.Loopback;
        var connection = new Pipe(new(pauseWriterThreshold: 100, resumeWriterThreshold: 50));
        var answer = new AnswerWriter(context, new StreamResponseBodyFeature(connection.Writer.AsStream()), places, TimeProvider.System);
        context.Features.Set<IHttpResponseBodyFeature>(answer);
        using var place = places.TryTake((RequestKind)kind, context, "a portal");
        await context.Response.BodyWriter.WriteAsync(new byte[50], Token);
        Assert.False(places.TryTake((RequestKind)kind, context, "a portal").IsTaken, "what is read holds its place");

        var unread = context.Response.Body.WriteAsync(new byte[200], Token).AsTask();

        Assert.False(unread.IsCompleted);
        using (var another = places.TryTake((RequestKind)kind, new DefaultHttpContext { Connection = { RemoteIpAddress = IPAddress.Loopback } }, "a portal"))
            Assert.Equal(isGivenBack, another.IsTaken);
        connection.Reader.AdvanceTo((await connection.Reader.ReadAsync(Token)).Buffer.End);
        await unread;
        Assert.False(context.RequestAborted.IsCancellationRequested);
    }

    /// <summary>Fills every buffer on the way.</summary>
    /// <returns>Completes when the other side ends the connection.</returns>
    private static async Task<Task> SendUntilNothingIsTakenAsync(RawConnection connection, string request)
    {
        var many = string.Concat(Enumerable.Repeat(request, 100));
        while (true)
        {
            var sent = connection.SendAsync(many).AsTask();
            // A busy machine may need a while for what it has taken.
            if (await Task.WhenAny(sent, Task.Delay(TimeSpan.FromSeconds(4), Token)) != sent || sent.IsFaulted)
                return Assert.ThrowsAnyAsync<IOException>(() => sent);
        }
    }

    private static async Task<string> RequestAsync(LaunchForm form)
    {
        using var content = new FormUrlEncodedContent(form.Body);
        var body = await content.ReadAsStringAsync(Token);
        return $"POST {form.Action.PathAndQuery} HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {body.Length}\r\n\r\n{body}";
    }
}
