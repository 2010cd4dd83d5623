using System.Globalization;

namespace Bitrix24Placements.PortalSimulator;

internal sealed record CommandLine
{
    public const string Usage = """
        A Bitrix24 portal and its OAuth server on this machine, to open in a browser.

          --service URL       use a service that already runs there, instead of starting one
          --service-dll PATH  the program of a service to start, such as Bitrix24Placements.dll or your own app's
          --port N            port of the portal; the OAuth server takes N+1
          --api-key KEY       key for the service's POST /api/signals
          --bx24 FILE         served as BX24.js in place of the simulator's own
          --pull FILE         served as the Push & Pull client in place of the simulator's own
          --methods FILE      JSON with answers of REST methods: {"crm.deal.get": {"ID": "5"}, …}
        """;

    public string? ServiceUrl { get; private init; }

    public string? ServiceDll { get; private init; }

    public int Port { get; private init; }

    public string? ApiKey { get; private init; }

    public string? ScriptFile { get; private init; }

    public string? PullScriptFile { get; private init; }

    public string? MethodsFile { get; private init; }

    /// <summary>Null when the arguments make no sense.</summary>
    public static CommandLine? Parse(string[] args)
    {
        var line = new CommandLine();
        for (var i = 0; i < args.Length; i += 2)
        {
            var value = i + 1 < args.Length ? args[i + 1] : null;
            var next = (args[i], value) switch
            {
                ("--service", not null) when Uri.IsWellFormedUriString(value, UriKind.Absolute) => line with { ServiceUrl = value },
                ("--service-dll", not null) => line with { ServiceDll = value },
                ("--port", not null) when PortNumber(value) is { } port => line with { Port = port },
                ("--api-key", not null) => line with { ApiKey = value },
                ("--bx24", not null) => line with { ScriptFile = value },
                ("--pull", not null) => line with { PullScriptFile = value },
                ("--methods", not null) => line with { MethodsFile = value },
                _ => null,
            };
            if (next is null) return null;
            line = next;
        }
        return line;
    }

    // The next one is the OAuth server's.
    private static int? PortNumber(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port < 65535 ? port : null;
}

/// <summary>Something a person can mend; told in one line.</summary>
internal sealed class SimulatorException(string message) : Exception(message);
