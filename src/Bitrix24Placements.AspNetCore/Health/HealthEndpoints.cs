using System.Buffers;
using System.Text.Json;
using Bitrix24Placements.Apps;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Rest;
using Bitrix24Placements.Storage;
using Microsoft.Extensions.Options;

namespace Bitrix24Placements.Health;

/// <summary>For orchestrators. The state of single portals is told and never makes the service unready.</summary>
internal sealed class HealthEndpoints(Readiness readiness, PortalCensus census, AppRegistry apps, IOptions<Bitrix24Options> options)
{
    /// <summary>A database that is away must not make an orchestrator wait.</summary>
    private static readonly TimeSpan CountPatience = TimeSpan.FromMilliseconds(500);

    public static Task LiveAsync(HttpContext context) => WriteAsync(context, 200, static json => json.WriteString("status", "live"));

    public async Task ReadyAsync(HttpContext context)
    {
        var ready = readiness.IsReady;
        var counts = ready ? await census.CountAsync(CountPatience) : null;
        await WriteAsync(context, ready ? 200 : 503, json =>
        {
            json.WriteString("status", ready ? "ready" : "starting");
            json.WriteBoolean("configured", apps.HasAny && options.Value.PublicUrl is not null);
            if (counts is null)
                return;
            json.WriteStartObject("portals");
            json.WriteNumber("installed", counts.Installed);
            json.WriteNumber("suspended", counts.Suspended);
            json.WriteNumber("deadTokens", counts.DeadTokens);
            json.WriteEndObject();
        });
    }

    private static async Task WriteAsync(HttpContext context, int status, Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = buffer.WrittenCount;
        context.Response.Headers.CacheControl = "no-store";
        if (!HttpMethods.IsHead(context.Request.Method))
            await context.Response.BodyWriter.WriteAsync(buffer.WrittenMemory, context.RequestAborted);
    }
}
