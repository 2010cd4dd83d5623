using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Bitrix24Placements.Tests.Simulator;

/// <summary>An address that takes whatever a portal sends.</summary>
internal sealed class Listening : IDisposable
{
    private readonly HttpListener _listener = new();
    private readonly ConcurrentQueue<(string Method, Dictionary<string, string> Fields)> _heard = new();

    public Listening()
    {
        Url = $"http://127.0.0.1:{FreePort()}";
        _listener.Prefixes.Add(Url + "/");
        _listener.Start();
        _ = ListenAsync();
    }

    public string Url { get; }

    public IReadOnlyList<(string Method, Dictionary<string, string> Fields)> Heard => [.. _heard];

    public async Task<Dictionary<string, string>> NextAsync()
    {
        for (var until = DateTime.UtcNow.AddSeconds(20); DateTime.UtcNow < until;)
        {
            if (_heard.TryDequeue(out var heard)) return heard.Fields;
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
        throw new TimeoutException("Nothing was sent.");
    }

    public void Dispose() => _listener.Close();

    private async Task ListenAsync()
    {
        while (_listener.IsListening)
        {
            HttpListenerContext context;
            try
            {
                context = await _listener.GetContextAsync();
            }
            catch (Exception closed) when (closed is HttpListenerException or ObjectDisposedException)
            {
                return;
            }
            using var reader = new StreamReader(context.Request.InputStream);
            var fields = (await reader.ReadToEndAsync()).Split('&', StringSplitOptions.RemoveEmptyEntries)
                .Select(pair => pair.Split('=')).ToDictionary(pair => WebUtility.UrlDecode(pair[0]), pair => WebUtility.UrlDecode(pair[1]));
            _heard.Enqueue((context.Request.HttpMethod, fields));
            context.Response.Close();
        }
    }

    private static int FreePort()
    {
        using var socket = new TcpListener(IPAddress.Loopback, 0);
        socket.Start();
        return ((IPEndPoint)socket.LocalEndpoint).Port;
    }
}
