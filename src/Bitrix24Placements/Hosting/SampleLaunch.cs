using System.Net;
using System.Net.Sockets;
using System.Text;
using Bitrix24Placements.Placements;

namespace Bitrix24Placements.Hosting;

/// <summary>A load of the worker's page by a portal that nobody has: what the service warms itself up with.</summary>
internal static class SampleLaunch
{
    public const string MemberId = "00000000000000000000000000000000";

    public const string Query = "DOMAIN=warm.up&PROTOCOL=1&LANG=en&APP_SID=0";

    private const int Patience = 5_000;

    public static string Body(string applicationToken) =>
        $"AUTH_ID=0&APPLICATION_TOKEN={applicationToken}&member_id={MemberId}&PLACEMENT={PlacementCatalogue.BackgroundWorker}&PLACEMENT_OPTIONS=%7B%22URI%22%3A%22%5C%2F%22%7D";

    /// <summary>Sends loads to a server of this process, and then asks for health, which is found by the router; waits for the answers.</summary>
    /// <remarks>Over a bare socket, and waiting in the plain way: a client of the framework's own, or its tasks, would take longer to compile than all that is warmed up here.</remarks>
    /// <exception cref="SocketException">Nobody listens there, or answers within five seconds.</exception>
    public static void Send(EndPoint server, int loads, string applicationToken)
    {
        using var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Unspecified) { SendTimeout = Patience, ReceiveTimeout = Patience };
        socket.Connect(server);
        var requests = new StringBuilder();
        for (var i = 0; i < loads; i++)
            requests.Append(Load(applicationToken));
        requests.Append("GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        socket.Send(Encoding.ASCII.GetBytes(requests.ToString()));
        var answers = new byte[16 * 1024];
        while (socket.Receive(answers) > 0)
        {
        }
    }

    private static string Load(string applicationToken)
    {
        var body = Body(applicationToken);
        return $"""
            POST {PlacementCatalogue.BackgroundWorkerPath}?{Query} HTTP/1.1
            Host: localhost
            Accept: text/html
            Content-Type: application/x-www-form-urlencoded
            Content-Length: {body.Length}

            {body}
            """.ReplaceLineEndings("\r\n");
    }
}
