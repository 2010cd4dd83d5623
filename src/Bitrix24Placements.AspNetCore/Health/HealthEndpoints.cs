using System.Text.Json;
using System.Text.Json.Serialization;
using Bitrix24Placements.Apps;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Rest;
using Bitrix24Placements.Storage;
using Microsoft.Extensions.Options;

namespace Bitrix24Placements.Health;

/// <summary>
/// For orchestrators. The state of single portals is told to the management port alone, and never makes the service unready.
/// </summary>
internal sealed class HealthEndpoints(
    Readiness readiness, PortalCensus census, AppRegistry apps, IOptions<Bitrix24Options> options, IOptions<ManagementOptions> management,
    IHostApplicationLifetime lifetime)
{
    /// <summary>A database that is away must not make an orchestrator wait.</summary>
    private static readonly TimeSpan CountTimeout = TimeSpan.FromMilliseconds(500);

    public static Task LiveAsync(HttpContext context) => WriteAsync(context, 200, new("live", null));

    public async Task ReadyAsync(HttpContext context)
    {
        var status = lifetime.ApplicationStopping.IsCancellationRequested ? "draining" : readiness.IsReady ? "ready" : "starting";
        var counts = readiness.IsReady && management.Value.IsAskedBy(context) ? await census.CountAsync(CountTimeout) : null;
        await WriteAsync(context, status == "ready" ? 200 : 503, new(status, apps.HasAny && options.Value.PublicUrl is not null)
        {
            Portals = counts is null ? null : new(counts.Installed, counts.Suspended, counts.DeadTokens),
        });
    }

    private static async Task WriteAsync(HttpContext context, int status, HealthReport report)
    {
        byte[] json = [.. JsonSerializer.SerializeToUtf8Bytes(report, HealthJson.Default.HealthReport), (byte)'\n'];
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = json.Length;
        context.Response.Headers.CacheControl = "no-store";
        if (!HttpMethods.IsHead(context.Request.Method))
            await context.Response.BodyWriter.WriteAsync(json, context.RequestAborted);
    }
}

/// <summary>What is told of the service's health.</summary>
internal sealed record HealthReport(string Status, bool? Configured)
{
    public HealthOfPortals? Portals { get; init; }
}

internal sealed record HealthOfPortals(long Installed, long Suspended, long DeadTokens);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(HealthReport))]
internal sealed partial class HealthJson : JsonSerializerContext;
