namespace Bitrix24Placements.Refusals;

internal sealed class Guard(UnverifiedAttempts attempts, Places places, RejectionWriter rejections)
{
    private static readonly Rejection TooManyAtOnce =
        new(429, "tooManyRequests", "Too many requests for this portal, or of this address, are under way.")
        {
            RetryAfter = TimeSpan.FromSeconds(2),
        };

    /// <param name="subject">The member_id that the request names; may be empty.</param>
    /// <param name="run">Null where it has answered, or where 200 without a body is the answer.</param>
    /// <param name="isKnown">Then no failure of others refuses it.</param>
    /// <param name="placesOf">Where they are not those of the kind.</param>
    /// <param name="holder">Who holds the place instead of the address.</param>
    /// <param name="turns">Where it is sent once: then one at a time is heard even of whoever has failed too often.</param>
    public async Task RunAsync(
        HttpContext context, RequestKind kind, string subject, Func<Task<Rejection?>> run, string language = Texts.Fallback,
        bool isKnown = false, RequestKind? placesOf = null, string? holder = null, Turns? turns = null)
    {
        Rejection? rejection = Rejection.TooManyAttempts;
        var mayTry = isKnown || attempts.MayTry(context, kind, subject);
        if (mayTry || turns is not null)
        {
            using var place = places.TryTake(placesOf ?? kind, context, subject, holder);
            // A backend is told to slow down; a person's browser, or Bitrix24, has sent but this one.
            rejection = !place.IsTaken ? kind is RequestKind.Api or RequestKind.Signal ? TooManyAtOnce : Rejection.Overloaded
                : mayTry ? await run() : await turns!.RunAsync(run, Rejection.TooManyAttempts);
        }

        if (rejection is not null)
            await RefuseAsync(context, kind, subject, rejection, language);
    }

    /// <summary>Whoever has failed too often hears that instead.</summary>
    public Task RefuseAsync(
        HttpContext context, RequestKind kind, string subject, Rejection rejection, string language = Texts.Fallback)
    {
        if (rejection.IsFailedAttempt && !attempts.MayTry(context, kind, subject))
            rejection = Rejection.TooManyAttempts;
        else if (rejection.IsFailedAttempt)
            attempts.Failed(context, kind, subject);
        return rejections.WriteAsync(context, rejection, language);
    }
}
