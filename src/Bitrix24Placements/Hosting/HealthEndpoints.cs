using System.Buffers;
using System.Data.Common;
using System.Text.Json;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Rest;
using Microsoft.Extensions.Options;

namespace Bitrix24Placements.Hosting;

/// <summary>For orchestrators. The state of single portals is told and never makes the service unready.</summary>
public sealed class HealthEndpoints(WarmUp warmUp, StoreReadiness readiness, PortalStore portals, IOptions<Bitrix24Options> options, TimeProvider time)
{
    private static readonly TimeSpan CountFor = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan CountPatience = TimeSpan.FromMilliseconds(500);

    private (DateTimeOffset At, PortalCounts? Counts) _counted;
    private int _counting;

    public static Task LiveAsync(HttpContext context) => WriteAsync(context, 200, static json => json.WriteString("status", "live"));

    public async Task ReadyAsync(HttpContext context)
    {
        var ready = readiness.IsReady && warmUp.IsDone;
        var counts = ready ? await CountAsync() : null;
        await WriteAsync(context, ready ? 200 : 503, json =>
        {
            json.WriteString("status", ready ? "ready" : "starting");
            json.WriteBoolean("configured", options.Value.HasKeys && options.Value.PublicUrl is not null);
            if (counts is null)
                return;
            json.WriteStartObject("portals");
            json.WriteNumber("installed", counts.Installed);
            json.WriteNumber("suspended", counts.Suspended);
            json.WriteNumber("deadTokens", counts.DeadTokens);
            json.WriteEndObject();
        });
    }

    /// <summary>Kept for a while: with a million portals counting takes a moment, and a database that is away must not make the answer wait.</summary>
    private async Task<PortalCounts?> CountAsync()
    {
        if (time.GetUtcNow() - _counted.At < CountFor || Interlocked.Exchange(ref _counting, 1) == 1)
            return _counted.Counts;
        var counting = RefreshAsync();
        await Task.WhenAny(counting, Task.Delay(CountPatience, time));
        return _counted.Counts;
    }

    private async Task RefreshAsync()
    {
        try
        {
            _counted = (time.GetUtcNow(), await portals.CountAsync(CancellationToken.None));
        }
        catch (DbException)
        {
            _counted = (time.GetUtcNow(), null);
        }
        finally
        {
            Interlocked.Exchange(ref _counting, 0);
        }
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
