using Bitrix24Placements.Refusals;

namespace Bitrix24Placements.Placements;

/// <summary>Who has no session does not come in.</summary>
internal static class SessionGate
{
    /// <summary>Failures of all sessions together, by address.</summary>
    public const string Subject = "api";

    public static readonly Rejection Unauthorized = new(401, "unauthorized") { IsFailedAttempt = true };

    public static async Task EnterAsync(HttpContext context, RequestDelegate next)
    {
        var services = context.RequestServices;
        if (await services.GetRequiredService<PageSessions>().ReadAsync(context) is { } session)
        {
            // Where BindAsync finds it.
            context.Features.Set(session);
            await next(context);
            return;
        }

        await RefuseAsync(
            context, Unauthorized, services.GetRequiredService<UnverifiedAttempts>(), services.GetRequiredService<RejectionWriter>());
    }

    public static Task RefuseAsync(HttpContext context, Rejection rejection, UnverifiedAttempts attempts, RejectionWriter rejections)
    {
        if (rejection.IsFailedAttempt && !attempts.MayTry(context, AttemptKind.Api, Subject))
            return rejections.WriteAsync(context, Rejection.TooManyAttempts);
        if (rejection.IsFailedAttempt)
            attempts.Failed(context, AttemptKind.Api, Subject);
        return rejections.WriteAsync(context, rejection);
    }
}
