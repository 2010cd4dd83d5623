using Bitrix24Placements.Installation;
using Bitrix24Placements.Refusals;

namespace Bitrix24Placements.Doctor;

/// <summary><c>POST /doctor</c>, of an administrator's page: a line of JSON for each check as it ends.</summary>
internal sealed class DoctorEndpoint(Examiner examiner, Administrators administrators, Guard guard)
{
    private readonly ConcurrentDictionary<PortalId, bool> _running = new();

    /// <summary>A page session: others' failures do not refuse it.</summary>
    public Task ReceiveAsync(HttpContext context) =>
        context.Features.Get<PageSession>() is { } session
            ? guard.RunAsync(context, RequestKind.Doctor, session.Portal.Id.MemberId, () => ExamineAsync(context, session), isKnown: true)
            : guard.RefuseAsync(context, RequestKind.Doctor, "", Rejection.Unauthorized);

    private async Task<Rejection?> ExamineAsync(HttpContext context, PageSession session)
    {
        var portal = session.Portal.Id;
        // The session says who he is, the portal whether he still is an administrator.
        var isAdministrator = await administrators.AskUnlessOrdinaryAsync(session.Access, context.RequestAborted);
        if (!isAdministrator.Value)
        {
            return isAdministrator.Ok || isAdministrator.Error.Kind == RestErrorKind.Refused
                ? Rejection.NotVerified : Rejection.Unavailable;
        }

        if (!_running.TryAdd(portal, true))
            return Rejection.Overloaded;
        try
        {
            await TellAsync(context, portal);
            return null;
        }
        finally
        {
            _running.TryRemove(portal, out _);
        }
    }

    private async Task TellAsync(HttpContext context, PortalId portal)
    {
        var language = context.Request.Query["language"].ToString();
        context.Response.ContentType = "application/x-ndjson";
        context.Response.Headers.CacheControl = "no-store";
        // A proxy must not gather the answer.
        context.Response.Headers["X-Accel-Buffering"] = "no";
        await foreach (var check in examiner.RunAsync(portal, language, forOperator: false, context.RequestAborted))
        {
            var line = JsonSerializer.SerializeToUtf8Bytes(check, DoctorJson.Default.ReportedCheck);
            await context.Response.BodyWriter.WriteAsync((byte[])[.. line, (byte)'\n'], context.RequestAborted);
        }
    }
}
