using System.Net;
using System.Net.Sockets;

namespace Bitrix24Placements.PortalSimulator;

/// <summary>
/// A free port for an app whose address must be known before it listens: below the range from which the system takes ports for outgoing
/// connections, and never the same one twice in a process, so that what is free now is still free then.
/// </summary>
public static class LoopbackPort
{
    private const int First = 20_000;
    private const int Count = 12_000;

    private static int _last = Random.Shared.Next(Count);

    public static int Free()
    {
        while (true)
        {
            var port = First + (int)((uint)Interlocked.Increment(ref _last) % Count);
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // Somebody else's: the next one.
            }
        }
    }
}
