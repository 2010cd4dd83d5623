using Bitrix24Placements.Forms;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Refusals;
using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Events;

/// <summary><c>POST /events</c>. Events are sent once: while the database is away they are spooled, and verified later.</summary>
internal sealed partial class EventEndpoint(
    EventReceiver receiver, EventHandlers handlers, Spool spool, Guard guard, UnverifiedAttempts attempts,
    RejectionWriter rejections, TimeProvider time, ILogger<EventEndpoint> logger)
    : ISpoolHandler, IDisposable
{
    private static readonly Rejection NoEvent = Rejection.Malformed("event", "The name of an event is expected.");

    private static readonly Rejection OtherEvent =
        Rejection.Malformed("event", "ONAPPINSTALL or ONAPPUSERREADY is expected here; other events go to /events.");

    private static readonly TimeSpan KeptFor = TimeSpan.FromDays(7);

    /// <summary>For other instances to carry over what they were told while the database was away: an update among it brings an
    /// application_token, an uninstallation takes it away.</summary>
    public static readonly TimeSpan TimeForOthers = TimeSpan.FromSeconds(15);

    /// <summary>So long do the tokens of a system user live.</summary>
    private static readonly TimeSpan TokensKeptFor = TimeSpan.FromHours(1);

    private readonly Turns _turns = new(TimeSpan.FromSeconds(5));

    private const string SpooledAs = "event";

    /// <summary>Who is known and says the same again need not be kept as often as with other events.</summary>
    private const int MaxNotices = 5;

    /// <summary>Since when the database answers again; zero while nobody knows.</summary>
    private long _backSince;

    public string Kind => SpooledAs;

    /// <summary>Whether somebody has told of an uninstallation that keeps the row while the database was away.</summary>
    public static bool HasCarefulNotice(Spool spool, PortalId id) =>
        spool.Has(SpooledAs, KeyOfNotice(id, id.MemberId, isClean: false))
        || spool.Has(SpooledAs, KeyOfNotice(null, id.MemberId, isClean: false));

    /// <summary>When the last uninstallation before then was told that waits in the spool; null where none does.</summary>
    public static DateTimeOffset? LastNotice(Spool spool, PortalId id, DateTimeOffset before) =>
        new PortalId?[] { id, null }
            .SelectMany(known => new[] { KeyOfNotice(known, id.MemberId, isClean: false), KeyOfNotice(known, id.MemberId, isClean: true) })
            .SelectMany(key => spool.Waiting(SpooledAs, key)).Where(keptAt => keptAt < before)
            .Select(keptAt => (DateTimeOffset?)keptAt).Max();

    public static bool HasEvents(Spool spool, Portal portal) => spool.Has(SpooledAs, portal.Id.MemberId)
        || spool.Has(SpooledAs, OfTokens(portal.Id.MemberId))
        || (portal.ApplicationTokenHash is { } hash && spool.Has(SpooledAs, Unconfirmed(portal.Id.MemberId, hash)));

    // It waits for no event, nor for others who may only say that they are of the portal, nor does one fill the other's share.
    private static string KeyOfNotice(PortalId? known, string memberId, bool isClean) =>
        $"{known?.ToString() ?? memberId + " unconfirmed"} {AppEvent.Uninstall} {(isClean ? 1 : 0)}";

    private static string KeyOf(string name, WireForm form, PortalId? believed)
    {
        var (memberId, hash) = (form.MemberId() ?? "", ApplicationToken.Hash(form.ApplicationToken().Reveal()));
        return name switch
        {
            AppEvent.Uninstall => KeyOfNotice(believed, memberId, WireEvent.IsClean(form)),
            AppEvent.Install or AppEvent.Update => OfTokens(memberId),
            AppEvent.UserReady => $"{memberId} reserve {hash[..16]}",
            _ => believed is null ? Unconfirmed(memberId, hash) : memberId,
        };
    }

    // Waits for none of those that it makes known.
    private static string OfTokens(string memberId) => $"{memberId} tokens";

    // Whose token is known late, or never, keeps nobody else waiting.
    private static string Unconfirmed(string memberId, string hash) => $"{memberId} unconfirmed {hash[..16]}";

    public async Task ReceiveAsync(HttpContext context)
    {
        var body = await FormBody.ReadAsync(context);
        using var form = body.Value;
        if (form is not null && WireEvent.Name(form) is { } name)
            await HandleAsync(context, name, form);
        else
            await rejections.WriteAsync(context, body.Rejection ?? NoEvent);
    }

    /// <summary>Where Bitrix24 tells of the app alone.</summary>
    public Task HandleOwnAsync(HttpContext context, WireForm form) =>
        WireEvent.Name(form) is (AppEvent.Install or AppEvent.UserReady or AppEvent.Test) and var name
            ? HandleAsync(context, name, form)
            : rejections.WriteAsync(context, OtherEvent);

    private Task HandleAsync(HttpContext context, string name, WireForm form) =>
        guard.RunAsync(
            context, RequestKind.Event, form.MemberId() ?? "", () => ReceiveAsync(context, name, form), isKnown: true,
            placesOf: receiver.Known(form) is not null && !AppEvent.BringsTokens(name) ? RequestKind.Event : RequestKind.UnconfirmedEvent);

    private async Task<Rejection?> ReceiveAsync(HttpContext context, string name, WireForm form)
    {
        var source = new EventSource(ClientAddress.Of(context), time.GetUtcNow()) { Context = context };
        try
        {
            // Of whoever has failed too often one at a time is looked up; what follows, others do not wait for.
            if (!AppEvent.BringsTokens(name) && receiver.Known(form) is null
                && !attempts.MayTry(context, RequestKind.Event, form.MemberId() ?? "")
                && !await _turns.RunAsync(() => receiver.IsKnownToStoreAsync(form), otherwise: false))
                return Rejection.TooManyAttempts;
            // Though the sender may go away meanwhile: he will not send it again.
            var rejection = await receiver.ReceiveAsync(source, name, form, CancellationToken.None);
            // A portal's own: asked about again when somebody answers.
            return name == AppEvent.UserReady && rejection is { Status: StatusCodes.Status503ServiceUnavailable }
                && await SpoolAsync(source, name, form, receiver.Known(form) is null ? source.Address : SpoolFile.Unanswered)
                ? null : rejection;
        }
        catch (Exception e) when (e is DbException or TimeoutException && IsKept(name) && form.MemberId() is not null)
        {
            Interlocked.Exchange(ref _backSince, 0);
            var known = receiver.Known(form);
            return await SpoolAsync(source with { Believed = known }, name, form, known is null ? source.Address : SpoolFile.Known)
                ? null : Rejection.StoreUnavailable;
        }
    }

    /// <summary>In three lines, as no field's text has a line's end.</summary>
    private Task<bool> SpoolAsync(EventSource source, string name, WireForm form, string share)
    {
        var payload = $"{source.Believed?.App}\n{source.Address}\n{(IsOwn(name) ? WireEvent.OwnText(form) : WireEvent.Text(form))}";
        return spool.PutAsync(
            Kind, KeyOf(name, form, source.Believed), payload, share, CancellationToken.None,
            name == AppEvent.Uninstall && source.Believed is not null ? MaxNotices : SpoolShares.MaxOfKey);
    }

    private bool IsKept(string name) => IsOwn(name) || handlers.Find(name) is not null;

    private static bool IsOwn(string name) => AppEvent.BringsTokens(name) || name == AppEvent.Uninstall;

    public async Task<bool> CarryOverAsync(
        string key, string payload, DateTimeOffset keptAt, CancellationToken cancellationToken)
    {
        // An earlier version's is the form alone.
        var (app, address, text) = payload.Split('\n') is [var first, var second, var third] ? (first, second, third) : ("", "", payload);
        using var form = WireForm.Parse(null, text);
        var believed = app.Length > 0 && form.MemberId() is { } memberId ? new PortalId(memberId, app) : (PortalId?)null;
        if (WireEvent.Name(form) is not { } name)
            return true;
        Rejection? refused;
        try
        {
            refused = await receiver.ReceiveAsync(new(address, keptAt, believed), name, form, cancellationToken);
        }
        catch (Exception e) when (e is DbException or TimeoutException)
        {
            Interlocked.Exchange(ref _backSince, 0);
            throw;
        }

        if (refused is null)
            return true;
        var keptFor = name == AppEvent.UserReady ? TokensKeptFor : KeptFor;
        var mayPass = refused.Status >= StatusCodes.Status500InternalServerError
            || (name is not (AppEvent.Install or AppEvent.Update) && IsTooEarly());
        if (mayPass && time.GetUtcNow() - keptAt < keptFor)
            return false;
        Log.Refused(logger, form.MemberId() ?? "", refused.Code);
        return true;
    }

    private bool IsTooEarly()
    {
        Interlocked.CompareExchange(ref _backSince, time.GetTimestamp(), 0);
        return time.GetElapsedTime(_backSince) < TimeForOthers;
    }

    public void Dispose() => _turns.Dispose();

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "An event of portal {MemberId} that came while the database was away was refused: {Code}")]
        public static partial void Refused(ILogger logger, string memberId, string code);
    }
}
