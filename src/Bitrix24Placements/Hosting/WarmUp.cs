using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Bitrix24Placements.Portals;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Bitrix24Placements.Hosting;

/// <summary>Does everything once before the service says that it is ready: the first page of the portal does not wait for the compiler, nor the first token for its keys.</summary>
public sealed partial class WarmUp(IServer server, PortalDirectory directory, PortalStore portals, TokenVault vault, IHostApplicationLifetime lifetime, ILogger<WarmUp> logger)
{
    private const int Loads = 10;

    private readonly string _applicationToken = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        vault.Unprotect(SampleLaunch.MemberId, "", vault.Protect(SampleLaunch.MemberId, "", ""));
        await portals.FindAsync(SampleLaunch.MemberId, cancellationToken);
        await StartedAsync(cancellationToken);
        try
        {
            directory.Replace(SampleLaunch.MemberId, Portal());
            if (Port() is { } port)
                SampleLaunch.Send(new IPEndPoint(IPAddress.Loopback, port), Loads, _applicationToken);
        }
        catch (SocketException e)
        {
            Log.Failed(logger, e.Message);
        }
        finally
        {
            directory.Replace(SampleLaunch.MemberId, null);
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
        MemberId = SampleLaunch.MemberId,
        ClientEndpoint = new("https://warm.up/rest/"),
        OAuthServer = new("https://warm.up"),
        State = PortalState.Installed,
        TokenState = TokenState.Good,
        Epoch = 0,
        ApplicationTokenHash = ApplicationToken.Hash(_applicationToken),
        RemovalKey = default,
    });

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Debug, "The warm-up was not answered: {Reason}")]
        public static partial void Failed(ILogger logger, string reason);
    }
}
