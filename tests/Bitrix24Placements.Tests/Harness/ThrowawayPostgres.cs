using System.Diagnostics;
using System.Globalization;
using Bitrix24Placements.Tests.Harness;
using Npgsql;

[assembly: AssemblyFixture(typeof(ThrowawayPostgres))]

namespace Bitrix24Placements.Tests.Harness;

/// <summary>A PostgreSQL for the test run, started when a test first asks for a database: the server that <c>TEST_POSTGRES</c> names, else one from this machine's own binaries. Where there is neither, tests say that they were skipped.</summary>
public sealed class ThrowawayPostgres : IAsyncDisposable
{
    private readonly SemaphoreSlim _starting = new(1);
    private readonly List<string> _asServer = [];
    private DirectoryInfo? _folder;
    private Process? _server;
    private string? _connectionString;

    /// <summary>An empty database of its own for one test.</summary>
    public async Task<string> NewDatabaseAsync()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var server = await ServerAsync(cancellationToken);
        var name = "t" + Guid.NewGuid().ToString("n");
        await using var connection = new NpgsqlConnection(server);
        await connection.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand($"CREATE DATABASE {name} TEMPLATE template0", connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
        return new NpgsqlConnectionStringBuilder(server) { Database = name, MaxPoolSize = 20 }.ConnectionString;
    }

    private async Task<string> ServerAsync(CancellationToken cancellationToken)
    {
        await _starting.WaitAsync(cancellationToken);
        try
        {
            return _connectionString ??= Environment.GetEnvironmentVariable("TEST_POSTGRES") is { Length: > 0 } given ? given : await StartAsync(cancellationToken);
        }
        finally
        {
            _starting.Release();
        }
    }

    private async Task<string> StartAsync(CancellationToken cancellationToken)
    {
        if (OperatingSystem.IsWindows() || Binaries() is not { } binaries)
        {
            Assert.Skip("There is no PostgreSQL: install it, or name a server in TEST_POSTGRES.");
            return "";
        }

        _folder = Directory.CreateTempSubdirectory("b24p-pg-");
        File.SetUnixFileMode(_folder.FullName, (UnixFileMode)0b111_000_000);
        if (Environment.IsPrivilegedProcess)
        {
            // PostgreSQL refuses to work for root.
            var user = File.ReadLines("/etc/passwd").Any(static line => line.StartsWith("postgres:", StringComparison.Ordinal)) ? "postgres" : "nobody";
            await RunAsync(["chown", user, _folder.FullName], cancellationToken);
            _asServer.AddRange(["setpriv", "--reuid=" + user, "--regid=" + (user == "postgres" ? user : "nogroup"), "--clear-groups", "--"]);
        }

        var data = Path.Combine(_folder.FullName, "data");
        await RunAsync([.. _asServer, binaries + "/initdb", "-D", data, "-U", "app", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"], cancellationToken);
        var port = Service.FreePort();
        _server = Begin([
            .. _asServer, binaries + "/postgres", "-D", data, "-p", port.ToString(CultureInfo.InvariantCulture), "-k", _folder.FullName,
            "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off", "-c", "max_connections=300"]);
        var connectionString = $"Host=127.0.0.1;Port={port};Username=app;Database=postgres";
        await AnsweringAsync(connectionString + ";Pooling=false", _server, cancellationToken);
        return connectionString;
    }

    private static async Task AnsweringAsync(string connectionString, Process server, CancellationToken cancellationToken)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                await using var connection = new NpgsqlConnection(connectionString);
                await connection.OpenAsync(cancellationToken);
                return;
            }
            catch (NpgsqlException) when (attempt < 400 && !server.HasExited)
            {
                await Task.Delay(50, cancellationToken);
            }
        }
    }

    private static string? Binaries()
    {
        const string debian = "/usr/lib/postgresql";
        var versions = Directory.Exists(debian) ? Directory.GetDirectories(debian) : [];
        return versions.OrderByDescending(static v => int.TryParse(Path.GetFileName(v), CultureInfo.InvariantCulture, out var number) ? number : 0).Select(static v => v + "/bin")
            .Concat((Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator))
            .FirstOrDefault(static folder => File.Exists(folder + "/initdb") && File.Exists(folder + "/postgres"));
    }

    private static Process Begin(string[] command)
    {
        var process = Process.Start(new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/" })!;
        process.OutputDataReceived += static (_, _) => { };
        process.ErrorDataReceived += static (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    private static async Task RunAsync(string[] command, CancellationToken cancellationToken)
    {
        using var process = Begin(command);
        await process.WaitForExitAsync(cancellationToken);
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{command[0]} ended with {process.ExitCode}.");
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is { HasExited: false })
        {
            NpgsqlConnection.ClearAllPools();
            // setpriv replaces itself, so this is the server's own id; INT is its fast shutdown.
            await RunAsync(["kill", "-INT", _server.Id.ToString(CultureInfo.InvariantCulture)], CancellationToken.None);
            await _server.WaitForExitAsync(CancellationToken.None);
        }

        _server?.Dispose();
        _folder?.Delete(true);
        _starting.Dispose();
    }
}
