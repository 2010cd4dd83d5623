using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Bitrix24Placements.Tests.Harness;

/// <summary>Answers every request with the same bytes, as no simulator would.</summary>
public sealed class FixedAnswerHost : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stopping = new();
    private readonly byte[] _answer;
    private readonly Task _accepting;

    /// <param name="headers">Lines beside those of HTTP/1.1 itself.</param>
    public FixedAnswerHost(byte[] body, params string[] headers)
    {
        var head = $"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\nConnection: close\r\n{string.Concat(headers.Select(static h => h + "\r\n"))}\r\n";
        _answer = [.. Encoding.ASCII.GetBytes(head), .. body];
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public Uri Url => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/rest/");

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = AnswerAsync(await _listener.AcceptTcpClientAsync(_stopping.Token));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    private async Task AnswerAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                var buffer = new byte[16 * 1024];
                _ = await client.GetStream().ReadAtLeastAsync(buffer, 1, false, _stopping.Token);
                await client.GetStream().WriteAsync(_answer, _stopping.Token);
                client.Client.Shutdown(SocketShutdown.Send);
                while (await client.GetStream().ReadAsync(buffer, _stopping.Token) > 0)
                {
                }
            }
            catch (Exception e) when (e is IOException or OperationCanceledException)
            {
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        // Between two connections it would be asked to accept one though it listens no more.
        await _accepting;
        _listener.Stop();
        _stopping.Dispose();
    }
}
