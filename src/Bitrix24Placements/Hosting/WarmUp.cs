using System.Net.Http.Headers;
using System.Security.Cryptography;
using Bitrix24Placements.Portals;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Bitrix24Placements.Hosting;

/// <summary>Sends the service's own endpoints a few requests before it says that it is ready: the first page of the portal does not wait for the compiler.</summary>
public sealed partial class WarmUp(IServer server, PortalDirectory directory, IHostApplicationLifetime lifetime, StoreReadiness readiness, ILogger<WarmUp> logger) : BackgroundService
{
    private const int Loads = 40;

    private const string MemberId = "00000000000000000000000000000000";

    private readonly string _applicationToken = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    public bool IsDone { get; private set; }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await Started(stoppingToken);
            await readiness.WaitAsync(stoppingToken);
            directory.Replace(MemberId, Portal());
            if (Address() is { } address)
                await LoadAsync(address, stoppingToken);
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException or UriFormatException)
        {
            Log.Failed(logger, e.Message);
        }
        finally
        {
            directory.Replace(MemberId, null);
            IsDone = true;
        }
    }

    private Task Started(CancellationToken cancellationToken)
    {
        var started = new TaskCompletionSource();
        lifetime.ApplicationStarted.Register(started.SetResult);
        return started.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Null where the server has no address of its own, as in tests, or speaks https only.</summary>
    private Uri? Address()
    {
        var first = server.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault(static a => a.StartsWith("http://", StringComparison.Ordinal));
        if (first is null)
            return null;
        var address = BindingAddress.Parse(first);
        return address.IsUnixPipe || address.IsNamedPipe ? null : new Uri($"http://127.0.0.1:{address.Port}/");
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

    private string Launch() =>
        $"DOMAIN=warm.up&PROTOCOL=1&LANG=en&APP_SID=0&AUTH_ID=0&APPLICATION_TOKEN={_applicationToken}&member_id={MemberId}&PLACEMENT=PAGE_BACKGROUND_WORKER&PLACEMENT_OPTIONS=%7B%22ID%22%3A%22PAGE_BACKGROUND_WORKER%22%2C%22URI%22%3A%22%5C%2F%22%7D";

    private async Task LoadAsync(Uri address, CancellationToken cancellationToken)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = address, Timeout = TimeSpan.FromSeconds(5) };
        for (var i = 0; i < Loads; i++)
        {
            using var form = new StringContent(Launch(), new MediaTypeHeaderValue("application/x-www-form-urlencoded"));
            using var answer = await http.PostAsync("placements/page-background-worker", form, cancellationToken);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Debug, "The warm-up was not answered: {Reason}")]
        public static partial void Failed(ILogger logger, string reason);
    }
}
