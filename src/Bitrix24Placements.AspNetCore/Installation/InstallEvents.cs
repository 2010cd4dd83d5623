using Bitrix24Placements.Events;
using Bitrix24Placements.Forms;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Refusals;
using Bitrix24Placements.Storage;
using Bitrix24Placements.Work;
using Microsoft.Extensions.Caching.Memory;

namespace Bitrix24Placements.Installation;

internal sealed class InstallEvents(
    Installer installer, SystemUsers systemUsers, PortalStore portals, WorkStore work, WorkSignal signal, UnverifiedAttempts attempts,
    Database database, TimeProvider time) : IAppEvents, IDisposable
{
    private static readonly Rejection NotAdministrator =
        new(403, "notVerified", "The event's token is not an administrator's.") { IsFailedAttempt = true };

    private static readonly TimeSpan FirstCheck = TimeSpan.FromSeconds(2);

    private readonly Turns _turns = new(TimeSpan.FromSeconds(5)), _turnsOfFailed = new(TimeSpan.FromSeconds(5));

    /// <summary>Whose first check somebody waits for.</summary>
    private readonly ConcurrentDictionary<PortalId, bool> _awaited = new();

    private readonly MemoryCache _told = new(new MemoryCacheOptions { SizeLimit = 10_000 });

    public async Task<Rejection?> TokensAsync(EventSource source, string name, WireForm form, CancellationToken cancellationToken)
    {
        var read = InstallClaim.Read(form, source.Address, source.ToldAt);
        if (!read.Ok)
            return read.Rejection;
        var claim = read.Value with { IsUpdate = name == AppEvent.Update };
        var context = source.Context;
        var mayAsk = context is null || attempts.MayTry(context, RequestKind.Event, claim.MemberId);
        if (name == AppEvent.UserReady)
            return mayAsk ? await systemUsers.ReceiveAsync(claim, form, cancellationToken)
                // Spooled, and asked about later: nobody's turn waits for a portal.
                : await _turnsOfFailed.RunAsync(() => systemUsers.IsAwaitedAsync(claim, cancellationToken), otherwise: false)
                    ? Rejection.Overloaded : Rejection.TooManyAttempts;
        if (!mayAsk)
            return await installer.KeepAsync(claim, _turnsOfFailed) ? null : Rejection.TooManyAttempts;

        var result = await installer.InstallAsync(claim, TimeSpan.Zero, cancellationToken);
        // Anybody has a token of some app of his own.
        if (result.Verdict == InstallVerdict.UnknownApp && context is not null)
            attempts.Failed(context, RequestKind.Event, claim.MemberId);
        return (result.Verdict, context) switch
        {
            (InstallVerdict.NotAdministrator, _) => NotAdministrator,
            // Expired in the spool.
            (InstallVerdict.NotConfigured or InstallVerdict.NoAnswer or InstallVerdict.UnknownApp, _) or (InstallVerdict.Expired, null) =>
                await installer.KeepAsync(claim, _turns) ? null : Rejection.Overloaded,
            _ => result.Rejection,
        };
    }

    public async Task<bool> UninstallAsync(KnownPortal portal, bool clean, bool othersFollow, CancellationToken cancellationToken)
    {
        // One write a second for a portal, however many notices come.
        if (_told.TryGetValue((portal.Id, portal.Epoch, clean), out _))
            return true;
        var notice = new UninstallNotice(clean, portal.Epoch, 0, portal.TokenState != TokenState.Dead, time.GetUtcNow());
        var check = new WorkRequest(portal.Id, WorkKind.Uninstall)
        {
            Delay = !othersFollow ? TimeSpan.Zero : database.IsPostgreSql ? SpooledEventHandler.TimeForOthers : UninstallWork.ChecksApart,
            PauseIfThere = UninstallWork.ChecksApart,
        };
        if (!await portals.NoteUninstallationAsync(
            portal.Id, portal.Epoch, check,
            waiting => notice.With(UninstallNotice.Read(waiting)).Serialize(), CancellationToken.None))
            return false;
        signal.Wake();
        _told.Set((portal.Id, portal.Epoch, clean), true,
            new MemoryCacheEntryOptions { Size = 1, AbsoluteExpirationRelativeToNow = TimeSpan.FromSeconds(1) });
        // One request polls the database for all.
        if (othersFollow || !_awaited.TryAdd(portal.Id, true))
            return true;
        try
        {
            var started = time.GetTimestamp();
            while (time.GetElapsedTime(started) < FirstCheck
                && await work.IsDueOrRunningAsync(portal.Id, WorkKind.Uninstall, cancellationToken))
                await Task.Delay(TimeSpan.FromMilliseconds(25), time, cancellationToken);
        }
        finally
        {
            _awaited.TryRemove(portal.Id, out _);
        }

        return true;
    }

    public void Dispose()
    {
        _turns.Dispose();
        _turnsOfFailed.Dispose();
        _told.Dispose();
    }
}
