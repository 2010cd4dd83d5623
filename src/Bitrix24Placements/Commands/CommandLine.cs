using System.CommandLine;

namespace Bitrix24Placements.Commands;

/// <summary>By default the program serves. Unknown words are told, with exit status 2.</summary>
internal sealed class CommandLine(Func<string[], WebApplicationBuilder> create, Action<WebApplication> configure)
{
    private const int Misused = 2;

    private const string Serve = "serve";

    private const string Settings = " Settings are given as --key=value or --key value.";

    public async Task<int> RunAsync(string[] args)
    {
        var root = new RootCommand("A Bitrix24 app for the universal placements.")
        {
            new Command(Serve, "Serve: what it does without a command as well." + Settings)
                .Runs(create, (builder, _, _) => builder.RunServiceAsync(configure)),
            new Command("health", "Ask the service that runs beside this process whether it is ready.")
                .Runs(_ => HealthProbe.RunAsync()),
            new Command("make-certificate", "Make the PFX file of DataProtection:CertificatePath, where there is none yet.")
                .Runs(_ => Task.FromResult(MakeCertificate.Run())),
            MoveStore(),
            new AppCommands(create).All(),
            Examine(),
            Replay(),
        };
        root.Directives.Clear();
        string[] words = IsServing(args) ? [Serve, .. args] : args;
        var parsed = root.Parse(words, new() { ResponseFileTokenReplacer = null });
        var unknown = UnknownIn(parsed.UnmatchedTokens);
        if ((unknown ?? (parsed.Errors is [var error, ..] ? error.Message : null)) is not { } problem)
            return await parsed.InvokeAsync(new() { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
        await Console.Error.WriteLineAsync($"{problem} Try --help.");
        return unknown is null && words[0] == AppCommands.Name ? CommandRun.Failed : Misused;
    }

    private static bool IsServing(string[] args) =>
        args is [] || (args[0].StartsWith("--", StringComparison.Ordinal) && args[0] is not ("--help" or "--version"));

    private Command MoveStore()
    {
        var from = new Option<string>("--from")
        {
            Description = "Connection string of the SQLite file: \"Data Source=…\".",
            Required = true,
        };
        return new Command(
            StoreMove.Command, "Move everything from a SQLite file into the configured, empty PostgreSQL." + Settings) { from }
            .Runs(create, (builder, parsed, token) => CommandRun.RunAsync(builder, async app =>
            {
                await new StoreMove(app.Services, Console.Out).MoveAsync(parsed.GetValue(from), token);
                return 0;
            }, StoreMove.Command + ": "));
    }

    private Command Examine()
    {
        var json = new Option<bool>("--json") { Description = "As JSON, for scripts." };
        var portal = new Option<string>("--portal") { Description = "The member_id of the portal to look at; otherwise the first one." };
        var app = new Option<string>("--app") { Description = "With --portal: the name of its app, where that is not the default one." };
        return new Command(
            "doctor",
            "Look for what is wrong with the service, its public address and a portal. Exit status 0: nothing." + Settings)
            { json, portal, app }
            .Runs(create, (builder, parsed, _) => DoctorCommand.RunAsync(
                builder, configure, parsed.GetValue(portal), parsed.GetValue(app), parsed.GetValue(json)));
    }

    private static Command Replay()
    {
        var file = new Argument<FileInfo>("file") { Description = "As the inspector saves it: address, line break, form." };
        var url = new Option<string>("--url") { Description = "The service; otherwise the one that runs beside this process." };
        return new Command("replay", "Post a saved launch or event to a running service, and print the answer. Exit status 0: 2xx.")
            { file, url }
            .Runs(parsed => ReplayCommand.RunAsync(parsed.GetRequiredValue(file), parsed.GetValue(url) ?? HealthProbe.ServiceUrl));
    }

    /// <summary>What the configuration would pass over without a word.</summary>
    private static string? UnknownIn(IReadOnlyList<string> settings)
    {
        for (var i = 0; i < settings.Count; i++)
        {
            var isKey = settings[i].StartsWith("--", StringComparison.Ordinal);
            if (isKey && settings[i].Contains('=', StringComparison.Ordinal))
                continue;
            if (!isKey || i + 1 == settings.Count || settings[i + 1].StartsWith("--", StringComparison.Ordinal))
                return $"'{settings[i]}' is neither a command nor a setting.";
            i++;
        }

        return null;
    }
}
