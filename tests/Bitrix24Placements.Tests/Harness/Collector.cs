using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Bitrix24Placements.Tests.Harness;

/// <summary>Takes what OTLP exporters send over HTTP. The texts in a message of Protocol Buffers stand in it as they are.</summary>
public sealed class Collector : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, StringBuilder> _received = new();

    private Collector(WebApplication app, string url) => (_app, Url) = (app, url);

    public string Url { get; }

    public static async Task<Collector> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var url = $"http://127.0.0.1:{Service.FreePort()}";
        builder.WebHost.UseUrls(url);
        var collector = new Collector(builder.Build(), url);
        collector._app.Run(collector.TakeAsync);
        await collector._app.StartAsync(TestContext.Current.CancellationToken);
        return collector;
    }

    /// <summary>All that has come to one of its paths, as text.</summary>
    public string Received(string path)
    {
        if (!_received.TryGetValue(path, out var all))
            return "";
        lock (all)
            return all.ToString();
    }

    private async Task TakeAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        var all = _received.GetOrAdd(context.Request.Path.Value!, static _ => new StringBuilder());
        lock (all)
            all.Append(Encoding.Latin1.GetString(body.ToArray()));
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
