using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Bitrix24Placements.Tests.Harness;

/// <summary>Stands between two sides of a connection, so that the way can be cut, or go silent as when a machine has gone.</summary>
public sealed class TcpRelay : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, Service.FreePort());
    private readonly ConcurrentDictionary<TcpClient, bool> _clients = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly int _target;
    private readonly Task _accepting;
    private TaskCompletionSource _open = new();
    private volatile bool _cut;
    private volatile int _stranded;

    public TcpRelay(int target)
    {
        _target = target;
        _open.SetResult();
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Connections stay and carry nothing; new ones come about and carry nothing either.</summary>
    public void Silence() => _open = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Connections stay and carry nothing any more, as after a failover; new ones work.</summary>
    public void Strand() => _stranded++;

    /// <summary>Connections break, and new ones are closed at once.</summary>
    public void Cut()
    {
        _cut = true;
        foreach (var client in _clients.Keys)
            client.Close();
    }

    public void Restore()
    {
        _cut = false;
        _open.TrySetResult();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var near = await _listener.AcceptTcpClientAsync(_stopping.Token);
                if (_cut)
                    near.Close();
                else
                    _ = CarryAsync(near);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    private async Task CarryAsync(TcpClient near)
    {
        using var far = new TcpClient();
        _clients[near] = _clients[far] = true;
        try
        {
            await far.ConnectAsync(IPAddress.Loopback, _target, _stopping.Token);
            await Task.WhenAny(PumpAsync(near.GetStream(), far.GetStream()), PumpAsync(far.GetStream(), near.GetStream()));
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or OperationCanceledException or InvalidOperationException)
        {
        }
        finally
        {
            near.Close();
            _clients.TryRemove(near, out _);
            _clients.TryRemove(far, out _);
        }
    }

    private async Task PumpAsync(NetworkStream from, NetworkStream to)
    {
        var buffer = new byte[16 * 1024];
        var stranded = _stranded;
        try
        {
            for (int read; (read = await from.ReadAsync(buffer, _stopping.Token)) > 0;)
            {
                await _open.Task.WaitAsync(_stopping.Token);
                if (stranded != _stranded)
                    await Task.Delay(Timeout.Infinite, _stopping.Token);
                await to.WriteAsync(buffer.AsMemory(0, read), _stopping.Token);
            }
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or OperationCanceledException)
        {
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _listener.Stop();
        Cut();
        await _accepting;
        _stopping.Dispose();
    }
}
