using System.Net;
using System.Net.Sockets;

namespace Bitrix24Placements.Tests.Harness;

/// <summary>A host that nobody has any business with: it tells whether anybody has connected.</summary>
public sealed class SilentHost : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);

    public SilentHost() => _listener.Start();

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public string Url => $"http://127.0.0.1:{Port}";

    public bool WasContacted => _listener.Pending();

    public void Dispose() => _listener.Dispose();
}
