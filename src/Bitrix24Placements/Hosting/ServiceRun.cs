using System.Net.Sockets;
using System.Security.Cryptography;

namespace Bitrix24Placements.Hosting;

/// <summary>Turns what stops the service at its start into one clear line.</summary>
internal static partial class ServiceRun
{
    /// <summary>Settings beside the program count where the working directory has none.</summary>
    public static WebApplicationOptions OptionsFor(string[] args)
    {
        // Watching files takes inotify handles, of which a machine full of containers runs out.
        string[] all = [.. args, "--hostBuilder:reloadConfigOnChange=false"];
        var isNamed = args.Any(a => a.StartsWith("--contentRoot", StringComparison.OrdinalIgnoreCase));
        return new() { Args = all, ContentRootPath = isNamed || File.Exists("appsettings.json") ? null : AppContext.BaseDirectory };
    }

    public static async Task<int> RunServiceAsync(this WebApplicationBuilder builder, Action<WebApplication> configure)
    {
        if (LoggingSetup.Problem(builder.Configuration) is { } problem)
        {
            await Console.Error.WriteLineAsync($"The service cannot start: {problem}");
            return 1;
        }

        await using var app = builder.Build();
        var logger = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Bitrix24Placements");
        try
        {
            app.Services.GetRequiredService<IStartupValidator>().Validate();
            configure(app);
            await app.StartAsync();
        }
        catch (Exception e)
        {
            if (Explain(e) is { } line)
                Log.CannotStart(logger, line);
            else
                Log.CannotStart(logger, e);
            return 1;
        }

        Announce(app, logger);
        await Draining.WaitAsync(app);
        await app.StopAsync();
        var hasFailed = app.Services.GetServices<IHostedService>().Any(s => s is BackgroundService { ExecuteTask.IsFaulted: true });
        return hasFailed ? 1 : Environment.ExitCode;
    }

    /// <summary>Null: nothing that an operator can mend.</summary>
    public static string? Explain(Exception exception) => exception switch
    {
        OptionsValidationException options => string.Join(' ', options.Failures),
        AggregateException { InnerExceptions: var inner } when inner.All(e => e is OptionsValidationException) =>
            string.Join(' ', inner.Select(Explain).Distinct()),
        // Addresses: in use, not this machine's, none at all, https without a certificate.
        IOException or SocketException or FormatException or CryptographicException
            or InvalidOperationException { Source: "Microsoft.AspNetCore.Server.Kestrel.Core" or "Microsoft.AspNetCore.Server.Kestrel" } =>
            exception.Message.Split('\n')[0],
        _ => null,
    };

    private static void Announce(WebApplication app, ILogger logger)
    {
        var options = app.Services.GetRequiredService<IOptions<Bitrix24Options>>().Value;
        Log.Listening(logger, string.Join(", ", app.Urls));
        var apps = app.Services.GetRequiredService<AppRegistry>();
        if (apps.MissingKey is { } missing)
            Log.OneKey(logger, missing);
        else if (!apps.HasAny)
            Log.NoKeys(logger);
        if (options.PublicUrl is null)
            Log.NoPublicUrl(logger);
        if (options.Verification == VerificationMode.Off)
            Log.Unverified(logger);
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Critical, "The service cannot start: {Reason}")]
        public static partial void CannotStart(ILogger logger, string reason);

        [LoggerMessage(6, LogLevel.Critical, "The service cannot start")]
        public static partial void CannotStart(ILogger logger, Exception exception);

        [LoggerMessage(2, LogLevel.Information, "Listening on {Addresses}")]
        public static partial void Listening(ILogger logger, string addresses);

        [LoggerMessage(3, LogLevel.Warning, "Bitrix24:ClientId and Bitrix24:ClientSecret are not set: "
            + "installations are kept until they are")]
        public static partial void NoKeys(ILogger logger);

        [LoggerMessage(7, LogLevel.Warning, "{Key} is not set, though the app's other key is: "
            + "the app counts as not configured, and its installations are kept until both are set")]
        public static partial void OneKey(ILogger logger, string key);

        [LoggerMessage(4, LogLevel.Warning, "Bitrix24:PublicUrl is not set: nothing can be registered with Bitrix24")]
        public static partial void NoPublicUrl(ILogger logger);

        [LoggerMessage(5, LogLevel.Warning, "Bitrix24:Verification is Off: launches are taken as they come (Development only)")]
        public static partial void Unverified(ILogger logger);
    }
}
