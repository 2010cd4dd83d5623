namespace Bitrix24Placements.Refusals;

/// <summary>
/// The way of whatever is not verified from memory: may it be tried, is there a place, run it, count it where it has failed, say why
/// it is refused.
/// </summary>
internal sealed class Guard(UnverifiedAttempts attempts, Places places, RejectionWriter rejections)
{
    private static readonly Rejection TooManyAtOnce =
        new(429, "tooManyRequests", "Too many requests for this portal, or of this address, are under way.")
        {
            RetryAfter = TimeSpan.FromSeconds(2),
        };

    /// <param name="subject">The member_id that the request names, or what else stands for whom it concerns; may be empty.</param>
    /// <param name="run">Null where it has answered, or where 200 without a body is the answer.</param>
    /// <param name="isKnown">It is verified from memory: then no failure of others refuses it.</param>
    public async Task RunAsync(
        HttpContext context, AttemptKind kind, string subject, Func<Task<Rejection?>> run,
        string language = Texts.Fallback, bool isKnown = false)
    {
        var rejection = isKnown || attempts.MayTry(context, kind, subject)
            ? await RunAsync(context, RoomOf(kind), subject, run)
            : Rejection.TooManyAttempts;
        if (rejection is null)
            return;
        if (rejection.IsFailedAttempt)
            attempts.Failed(context, kind, subject);
        await rejections.WriteAsync(context, rejection, language);
    }

    private async Task<Rejection?> RunAsync(HttpContext context, Room room, string subject, Func<Task<Rejection?>> run)
    {
        using var place = places.TryTake(room, context, subject);
        if (place.IsTaken)
            return await run();
        // A backend is told to slow down; a person's browser, or Bitrix24, has sent but this one.
        return room == Room.Api ? TooManyAtOnce : Rejection.Overloaded;
    }

    private static Room RoomOf(AttemptKind kind) => kind switch
    {
        AttemptKind.Worker => Room.Workers,
        AttemptKind.Person => Room.Pages,
        AttemptKind.Api => Room.Api,
        _ => Room.Events,
    };
}
