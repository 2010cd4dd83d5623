using System.Text.Json;

namespace Bitrix24Placements.PortalSimulator;

/// <summary>One portal in a browser, with the service behind it.</summary>
internal static class Demonstration
{
    // A service that already runs was configured with these before the simulator started.
    private const string KnownSecret = "simulatorsimulatorsimulatorsimulatorsimulator";
    private const string KnownApiKey = "simulator-api-key-for-development-only";
    private const int KnownPort = 24024;

    public static async Task RunAsync(CommandLine asked, CancellationToken cancellationToken)
    {
        var external = asked.ServiceUrl is not null;
        var port = asked.Port != 0 ? asked.Port : external ? KnownPort : 0;
        var options = new Bitrix24Options
        {
            PortalPort = port,
            OAuthPort = port == 0 ? 0 : port + 1,
            ServiceUrl = asked.ServiceUrl,
            ClientSecret = external ? KnownSecret : Secrets.New(50),
            SignalsApiKey = asked.ApiKey ?? (external ? KnownApiKey : Secrets.New(32)),
            ScriptFile = asked.ScriptFile,
            PullScriptFile = asked.PullScriptFile,
        };
        await using var bitrix = await StartAsync(options, cancellationToken);
        if (asked.MethodsFile is { } file) await LoadMethodsAsync(bitrix, file, cancellationToken);
        if (external)
        {
            Console.WriteLine("The service needs these settings:");
            foreach (var (name, value) in ServiceProcess.Settings(bitrix, asked.ServiceUrl!))
                Console.WriteLine($"  {name}={value}");
            await ShowAsync(bitrix, cancellationToken);
            return;
        }
        await using var service = await ServiceProcess.StartAsync(bitrix, asked.ServiceDll, cancellationToken);
        bitrix.ServiceUrl = service.Url;
        await Task.WhenAny(ShowAsync(bitrix, cancellationToken), service.EndedAsync(cancellationToken)).Unwrap();
    }

    private static async Task<Bitrix24> StartAsync(Bitrix24Options options, CancellationToken cancellationToken)
    {
        try
        {
            return await Bitrix24.StartAsync(options, cancellationToken);
        }
        catch (IOException taken)
        {
            throw new SimulatorException(taken.Message);
        }
    }

    private static async Task LoadMethodsAsync(Bitrix24 bitrix, string file, CancellationToken cancellationToken)
    {
        try
        {
            bitrix.Methods.Load(await File.ReadAllTextAsync(file, cancellationToken));
        }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new SimulatorException($"{file}: {wrong.Message}");
        }
    }

    private static async Task ShowAsync(Bitrix24 bitrix, CancellationToken cancellationToken)
    {
        Console.WriteLine();
        Console.WriteLine($"  Open {bitrix.Portals[0].Url}/");
        Console.WriteLine();
        await Task.Delay(Timeout.Infinite, cancellationToken);
    }
}
