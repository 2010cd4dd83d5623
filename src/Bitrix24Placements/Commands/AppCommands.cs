using System.CommandLine;
using Bitrix24Placements.Work;

namespace Bitrix24Placements.Commands;

/// <summary>Apps in the database, without a restart. Secrets come from standard input.</summary>
internal sealed class AppCommands(Func<string[], WebApplicationBuilder> create)
{
    public const string Name = "app";

    private readonly Argument<string> _name = new("NAME") { Description = "What the app is called here: letters, digits, _ and -." };
    private readonly Option<string> _clientId = new("--client-id") { Description = "What Bitrix24 calls it.", Required = true };
    private readonly Option<string?> _appCode = new("--app-code") { Description = "Code of a published app, for links to it." };
    private readonly Option<bool> _pending = new("--pending") { Description = "Installations that wait for their app instead." };

    public Command All() => new(Name, "The apps that the service is, beside those in its configuration.")
    {
        Runs(new("add", "Add an app. Its secret is read from standard input.") { _name, _clientId, _appCode }, AddAsync),
        Runs(new("list", "Show the apps.") { _pending }, ListAsync),
        Runs(new("rotate", "Give an app a new secret, read from standard input.") { _name }, RotateAsync),
        Runs(new("remove", "Remove an app.") { _name }, RemoveAsync),
    };

    private Command Runs(Command command, Func<ParseResult, IServiceProvider, CancellationToken, Task<string>> runAsync) =>
        command.Runs(create, (builder, parsed, token) =>
        {
            // The command's own line says it all.
            builder.Logging.ClearProviders();
            return CommandRun.RunAsync(builder, async app =>
            {
                await app.Services.GetRequiredService<SchemaInstaller>().EnsureAsync(token);
                await Console.Out.WriteLineAsync(await runAsync(parsed, app.Services, token));
                return 0;
            });
        });

    private async Task<string> AddAsync(ParseResult parsed, IServiceProvider services, CancellationToken cancellationToken)
    {
        var app = new RegisteredApp(
            parsed.GetRequiredValue(_name), parsed.GetRequiredValue(_clientId), ReadSecret(), parsed.GetValue(_appCode));
        var tried = await TryKeysAsync(app, services, cancellationToken);
        await services.GetRequiredService<AppRegistry>().AddAsync(app, cancellationToken);
        return $"{app.Name} is added{tried}.";
    }

    private async Task<string> RotateAsync(ParseResult parsed, IServiceProvider services, CancellationToken cancellationToken)
    {
        var (registry, name, secret) = (services.GetRequiredService<AppRegistry>(), parsed.GetRequiredValue(_name), ReadSecret());
        var app = (await registry.ListAsync(cancellationToken)).FirstOrDefault(a => a.Name == name);
        var tried = app is null ? "" : await TryKeysAsync(app with { ClientSecret = secret }, services, cancellationToken);
        await registry.RotateAsync(name, secret, cancellationToken);
        return $"{name} has its new secret{tried}.";
    }

    private async Task<string> RemoveAsync(ParseResult parsed, IServiceProvider services, CancellationToken cancellationToken)
    {
        var name = parsed.GetRequiredValue(_name);
        await services.GetRequiredService<AppRegistry>().RemoveAsync(name, cancellationToken);
        return $"{name} is removed.";
    }

    private async Task<string> ListAsync(ParseResult parsed, IServiceProvider services, CancellationToken cancellationToken) =>
        string.Join(Environment.NewLine, parsed.GetValue(_pending)
            ? (await services.GetRequiredService<KeptInstallations>().ListAsync(cancellationToken))
                .Select(k => $"{k.MemberId}\t{k.KeptAt:u}\t{k.ClientId ?? "client_id not known yet"}")
            : (await services.GetRequiredService<AppRegistry>().ListAsync(cancellationToken))
                .Select(a => $"{a.Name}\t{a.ClientId}\t{a.AppCode ?? "-"}"));

    /// <returns>What to say where nobody has answered.</returns>
    private static async Task<string> TryKeysAsync(RegisteredApp app, IServiceProvider services, CancellationToken cancellationToken)
    {
        var (oauth, servers) = (services.GetRequiredService<OAuthClient>(), services.GetRequiredService<HostRules>().OAuthServers);
        // An app is known to one of them.
        var verdicts = await Task.WhenAll(servers.Select(server => oauth.TestKeysAsync(app, server, cancellationToken)));
        return verdicts.Contains(KeysVerdict.Right) ? ""
            : verdicts.Contains(KeysVerdict.NotKnown) ? "; not every OAuth server has answered, so its secret is not proven yet"
            : throw new AppException($"Bitrix24 does not take this secret for {app.ClientId}: nothing is stored.");
    }

    private static Secret ReadSecret() => new((Console.In.ReadLine() ?? "").Trim());
}
