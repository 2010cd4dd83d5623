using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Bitrix24Placements.Placements;
using Bitrix24Placements.Portals;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Bitrix24Placements.Hosting;

/// <summary>Does everything once before the service says that it is ready: the first page of the portal does not wait for the compiler, nor the first token for its keys.</summary>
public sealed partial class WarmUp(IServer server, PortalDirectory directory, PortalStore portals, TokenVault vault, IHostApplicationLifetime lifetime, ILogger<WarmUp> logger)
{
    private const int Loads = 10;

    private const string MemberId = "00000000000000000000000000000000";

    internal const string Query = "DOMAIN=warm.up&PROTOCOL=1&LANG=en&APP_SID=0";

    private const int Patience = 5_000;

    private readonly string _applicationToken = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        vault.Unprotect(MemberId, "", vault.Protect(MemberId, "", ""));
        await portals.FindAsync(MemberId, cancellationToken);
        await StartedAsync(cancellationToken);
        try
        {
            directory.Replace(MemberId, Portal());
            if (Port() is { } port)
                Load(port);
        }
        catch (SocketException e)
        {
            Log.Failed(logger, e.Message);
        }
        finally
        {
            directory.Replace(MemberId, null);
        }
    }

    private Task StartedAsync(CancellationToken cancellationToken)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lifetime.ApplicationStarted.Register(started.SetResult);
        return started.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Null where the server has no port of its own, as in tests, or speaks https only.</summary>
    private int? Port()
    {
        var first = server.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault(static a => a.StartsWith("http://", StringComparison.Ordinal));
        return first is not null && BindingAddress.Parse(first) is { IsUnixPipe: false, IsNamedPipe: false } address ? address.Port : null;
    }

    /// <summary>A portal that nobody has, in memory alone and under a token that nobody knows: its launches go all the way.</summary>
    private KnownPortal Portal() => new(new Portal
    {
        MemberId = MemberId,
        ClientEndpoint = new("https://warm.up/rest/"),
        OAuthServer = new("https://warm.up"),
        State = PortalState.Installed,
        TokenState = TokenState.Good,
        Epoch = 0,
        ApplicationTokenHash = ApplicationToken.Hash(_applicationToken),
        RemovalKey = default,
    });

    /// <summary>Over a bare socket, and waiting in the plain way: a client of the framework's own, or its tasks, would take longer to compile than all that is warmed up here.</summary>
    private void Load(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { SendTimeout = Patience, ReceiveTimeout = Patience };
        socket.Connect(System.Net.IPAddress.Loopback, port);
        var requests = new StringBuilder();
        for (var i = 1; i <= Loads; i++)
            requests.Append(Request(i == Loads ? "close" : "keep-alive"));
        socket.Send(Encoding.ASCII.GetBytes(requests.ToString()));
        var answers = new byte[16 * 1024];
        while (socket.Receive(answers) > 0)
        {
        }
    }

    internal static string Body(string applicationToken) =>
        $"AUTH_ID=0&APPLICATION_TOKEN={applicationToken}&member_id={MemberId}&PLACEMENT={PlacementCatalogue.BackgroundWorker}&PLACEMENT_OPTIONS=%7B%22URI%22%3A%22%5C%2F%22%7D";

    private string Request(string connection)
    {
        var body = Body(_applicationToken);
        return $"""
            POST {PlacementCatalogue.BackgroundWorkerPath}?{Query} HTTP/1.1
            Host: localhost
            Accept: text/html
            Connection: {connection}
            Content-Type: application/x-www-form-urlencoded
            Content-Length: {body.Length}

            {body}
            """.ReplaceLineEndings("\r\n");
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Debug, "The warm-up was not answered: {Reason}")]
        public static partial void Failed(ILogger logger, string reason);
    }
}
