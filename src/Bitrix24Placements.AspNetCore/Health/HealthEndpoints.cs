using Bitrix24Placements.Apps;
using Bitrix24Placements.Events;
using Bitrix24Placements.Pages;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Rest;
using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Health;

/// <summary>What it knows of portals is for the management port alone, and never makes the service unready.</summary>
internal sealed class HealthEndpoints(
    Readiness readiness, PortalCensus census, InboxStore inbox, AppRegistry apps, KeyTroubles keys,
    IOptions<Bitrix24Options> options, IOptions<ManagementOptions> management,
    IHostApplicationLifetime lifetime)
{
    /// <summary>An orchestrator does not wait for a database that is away.</summary>
    private static readonly TimeSpan CountTimeout = TimeSpan.FromMilliseconds(500);

    public static Task LiveAsync(HttpContext context) => WriteAsync(context, 200, new("live"));

    public async Task ReadyAsync(HttpContext context)
    {
        var status = lifetime.ApplicationStopping.IsCancellationRequested ? "draining" : readiness.IsReady ? "ready" : "starting";
        var report = new HealthReport(status, apps.HasAny && options.Value.PublicUrl is not null);
        if (readiness.IsReady && management.Value.IsAskedBy(context))
            report = await CountAsync(report, context.RequestAborted);
        await WriteAsync(context, status == "ready" ? 200 : 503, report);
    }

    private async Task<HealthReport> CountAsync(HealthReport report, CancellationToken cancellationToken)
    {
        report = report with { AppsWithWrongKeys = keys.Apps, MissingKey = apps.MissingKey };
        if (await census.CountAsync(CountTimeout) is var (installed, suspended, _, deadTokens, withoutAdministrator))
            report = report with { Portals = new(installed, suspended, deadTokens, withoutAdministrator) };
        try
        {
            return report with { Events = await inbox.CountAsync(cancellationToken).WaitAsync(CountTimeout, cancellationToken) };
        }
        catch (Exception e) when (e is DbException or TimeoutException)
        {
            return report;
        }
    }

    private static Task WriteAsync(HttpContext context, int status, HealthReport report)
    {
        context.Response.StatusCode = status;
        return context.Response.WriteJsonAsync(JsonSerializer.SerializeToUtf8Bytes(report, HealthJson.Default.HealthReport));
    }
}

internal sealed record HealthReport(
    string Status, bool? Configured = null, HealthOfPortals? Portals = null, InboxCounts? Events = null,
    IReadOnlyList<string>? AppsWithWrongKeys = null, string? MissingKey = null);

internal sealed record HealthOfPortals(long Installed, long Suspended, long DeadTokens, long WithoutAdministrator);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(HealthReport))]
internal sealed partial class HealthJson : JsonSerializerContext;
