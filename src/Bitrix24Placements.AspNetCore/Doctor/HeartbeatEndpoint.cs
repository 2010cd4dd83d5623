using System.Buffers;
using Bitrix24Placements.Forms;
using Bitrix24Placements.Refusals;

namespace Bitrix24Placements.Doctor;

/// <summary><c>POST /api/heartbeat</c>, of a worker page: nothing secret, and not believed.</summary>
internal sealed class HeartbeatEndpoint(Heartbeats heartbeats, RejectionWriter rejections)
{
    private const int MaxBytes = 256;

    private static readonly Rejection Malformed = Rejection.Malformed("memberId, app and loadMs are expected.");

    public async Task ReceiveAsync(HttpContext context)
    {
        var body = context.Request.ContentLength is > 0 and <= MaxBytes ? await BoundedBody.ReadAsync(context, Read) : Malformed;
        if (body.Value is not { LoadMs: { } milliseconds, MemberId: { } memberId, App: { } app } || !PortalId.IsMemberId(memberId))
        {
            await rejections.WriteAsync(context, body.Rejection ?? Malformed);
            return;
        }

        // Does not tell whether the portal is known.
        heartbeats.Add(memberId, app, TimeSpan.FromMilliseconds(Math.Clamp(milliseconds, -1, int.MaxValue)));
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private static Heartbeat Read(HttpContext context, ReadOnlySequence<byte> body)
    {
        try
        {
            var reader = new Utf8JsonReader(body);
            return JsonSerializer.Deserialize(ref reader, DoctorJson.Default.Heartbeat) ?? new();
        }
        catch (JsonException)
        {
            return new();
        }
    }
}

/// <param name="App">Its client_id.</param>
internal sealed record Heartbeat(string? MemberId = null, string? App = null, double? LoadMs = null);
