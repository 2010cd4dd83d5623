using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Bitrix24Placements.Tests.Harness;

/// <summary>Bytes on a socket, for requests that no client would send.</summary>
public sealed class RawConnection : IDisposable
{
    private readonly TcpClient _client = new();

    /// <param name="receiveBuffer">In bytes; zero is the system's choice.</param>
    public RawConnection(Uri url, int receiveBuffer = 0)
    {
        if (receiveBuffer > 0)
            _client.ReceiveBufferSize = receiveBuffer;
        _client.Connect(IPAddress.Loopback, url.Port);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask SendAsync(string text) => _client.GetStream().WriteAsync(Encoding.Latin1.GetBytes(text), Token);

    /// <summary>Everything until the other side closes the connection; fails when it does not within <paramref name="seconds"/>.</summary>
    public async Task<string> ReadToEndAsync(int seconds = 5)
    {
        var text = new StringBuilder();
        var buffer = new byte[4096];
        try
        {
            for (int read; (read = await _client.GetStream().ReadAsync(buffer, Token).AsTask().WaitAsync(TimeSpan.FromSeconds(seconds), Token)) > 0;)
                text.Append(Encoding.Latin1.GetString(buffer, 0, read));
        }
        catch (IOException)
        {
            // Closed without a farewell.
        }
        catch (TimeoutException)
        {
            Assert.Fail($"The connection is still open. Answered: {text}");
        }

        return text.ToString();
    }

    /// <summary>The first line of an answer, whether or not the connection stays open.</summary>
    public async Task<string> ReadLineAsync(int seconds = 5)
    {
        using var reader = new StreamReader(_client.GetStream(), Encoding.Latin1, leaveOpen: true);
        return await reader.ReadLineAsync(Token).AsTask().WaitAsync(TimeSpan.FromSeconds(seconds), Token) ?? "";
    }

    /// <summary>A piece every half second, until the other side has had enough.</summary>
    public async Task<(TimeSpan Took, string Answer)> DripAsync(string piece, int mostSeconds)
    {
        var started = Stopwatch.StartNew();
        var answer = ReadToEndAsync(mostSeconds);
        try
        {
            while (!answer.IsCompleted)
            {
                await SendAsync(piece);
                await Task.WhenAny(answer, Task.Delay(500, Token));
            }
        }
        catch (IOException)
        {
        }

        return (started.Elapsed, await answer);
    }

    /// <summary>Without a farewell.</summary>
    public void Reset()
    {
        _client.Client.LingerState = new(enable: true, seconds: 0);
        _client.Dispose();
    }

    public void Dispose() => _client.Dispose();
}
