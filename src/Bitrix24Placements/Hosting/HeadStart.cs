using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Bitrix24Placements.Placements;
using Bitrix24Placements.Portals;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Bitrix24Placements.Hosting;

/// <summary>Has the code that the first request needs compiled while the host is still being built: on another processor, where there is one.</summary>
/// <remarks>Nothing that it makes is kept, and nothing waits for it. A failure will come again where somebody looks at it.</remarks>
internal static class HeadStart
{
    private static bool Pays => RuntimeFeature.IsDynamicCodeCompiled && Environment.ProcessorCount > 1;

    public static void Begin()
    {
        if (!Pays)
            return;
        _ = Task.Run(ServeAsync);
        _ = Task.Run(Parse);
    }

    public static void OfStore(IConfiguration configuration)
    {
        if (Pays && (!Enum.TryParse<StorageProvider>(configuration["Storage:Provider"], ignoreCase: true, out var provider) || provider == StorageProvider.Sqlite))
            _ = Task.Run(ReadAsync);
    }

    /// <summary>Makes what serves launches, while the rest of the host is looked at. Services are made once, whoever asks first.</summary>
    public static void OfPipeline(IServiceProvider services)
    {
        if (Pays)
            _ = Task.Run(services.GetRequiredService<PlacementPipeline>);
    }

    private static async Task ReadAsync()
    {
        await using var connection = new SqliteConnection("Data Source=:memory:");
        await connection.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await connection.QueryAsync("SELECT @text, 1, NULL", static row => row.GetString(0) + row.GetInt64(1) + row.TextOrNull(2), CancellationToken.None, ("@text", ""));
        await transaction.CommitAsync();
    }

    /// <summary>A server that does nothing, for as long as one exchange takes. It takes no port, which could be the service's own: it listens under a name of Linux that is no file.</summary>
    private static async Task ServeAsync()
    {
        if (!OperatingSystem.IsLinux())
            return;
        var name = new UnixDomainSocketEndPoint($"\0bitrix24placements-{Guid.NewGuid():n}");
        var transport = new SocketTransportOptions
        {
            CreateBoundListenSocket = _ =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                socket.Bind(name);
                return socket;
            },
        };
        using var server = new KestrelServer(Options.Create(new KestrelServerOptions()), new SocketTransportFactory(Options.Create(transport), NullLoggerFactory.Instance), NullLoggerFactory.Instance);
        server.Features.Get<IServerAddressesFeature>()!.Addresses.Add("http://127.0.0.1:0");
        await server.StartAsync(new NoApplication(), CancellationToken.None);
        SampleLaunch.Send(name, 1, "");
    }

    private static void Parse()
    {
        using var form = WireForm.Parse(SampleLaunch.Query, SampleLaunch.Body("0"));
        PlacementParser.Parse(form, PlacementPipeline.BackgroundWorker);
        ApplicationToken.Hash("");
    }

    private sealed class NoApplication : IHttpApplication<IFeatureCollection>
    {
        public IFeatureCollection CreateContext(IFeatureCollection contextFeatures) => contextFeatures;

        public Task ProcessRequestAsync(IFeatureCollection context) => Task.CompletedTask;

        public void DisposeContext(IFeatureCollection context, Exception? exception)
        {
        }
    }
}
