using System.Globalization;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using Serilog.Extensions.Logging;
using Serilog.Formatting.Compact;

namespace Bitrix24Placements.Hosting;

/// <summary>The only file that knows Serilog. Levels come from <c>Logging:LogLevel</c>.</summary>
internal static class LoggingSetup
{
    private const string Readable = "{Timestamp:HH:mm:ss} {Level:u3} {Message:lj}{NewLine}{Exception}";

    public static void AddStructuredLogging(this ILoggingBuilder logging, IHostEnvironment environment)
    {
        var configuration = new LoggerConfiguration().MinimumLevel.Verbose()
            // Below they log whole addresses and headers, with removal keys and tokens.
            .MinimumLevel.Override("Microsoft.AspNetCore", LogEventLevel.Warning)
            .MinimumLevel.Override("System.Net.Http", LogEventLevel.Warning)
            .Enrich.FromLogContext().Enrich.With(new WithoutPaths())
            // Told by ServiceRun, without a stack trace.
            .Filter.ByExcluding(e => e.MessageTemplate.Text == "Hosting failed to start");
        configuration = environment.IsDevelopment()
            ? configuration.WriteTo.Console(outputTemplate: Readable, formatProvider: CultureInfo.InvariantCulture)
            : configuration.WriteTo.Console(new RenderedCompactJsonFormatter());
        logging.ClearProviders();
        // AddSerilog would pass over Logging:LogLevel.
        logging.AddProvider(new SerilogLoggerProvider(configuration.CreateLogger(), dispose: true));
        // It would make an activity and a scope for every request.
        logging.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);
    }

    // The framework may add its request's path to any line, and a key must not come into a log.
    private sealed class WithoutPaths : ILogEventEnricher
    {
        public void Enrich(LogEvent logEvent, ILogEventPropertyFactory propertyFactory) => logEvent.RemovePropertyIfPresent("RequestPath");
    }

    /// <summary>The framework would throw, before there is a log.</summary>
    public static string? Problem(IConfiguration configuration)
    {
        var logging = configuration.GetSection("Logging");
        return logging.GetChildren().Select(c => c.GetSection("LogLevel")).Append(logging.GetSection("LogLevel"))
            .SelectMany(levels => levels.GetChildren())
            .Where(level => !string.IsNullOrEmpty(level.Value))
            .FirstOrDefault(level => !Enum.TryParse<LogLevel>(level.Value, ignoreCase: true, out _)) is { } bad
            ? $"{bad.Path} has to be {string.Join(" or ", Enum.GetNames<LogLevel>())}."
            : null;
    }
}
