using Bitrix24Placements.Forms;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Events;

/// <summary>What came while the database was away. Entries of one key are carried over in their order, and take one share.</summary>
internal sealed class SpooledEvents(Spool spool)
{
    public const string Kind = "event";

    /// <summary>Who says the same again need not be kept as often as with other events.</summary>
    private const int MaxNotices = 5, MaxOfUserReady = 3;

    /// <summary>Whether somebody who knows the application_token has told of an uninstallation that keeps the row.</summary>
    public bool HasCarefulNotice(PortalId id, string? applicationTokenHash) =>
        Notices(id, applicationTokenHash, isClean: false).Any();

    /// <summary>When the last uninstallation of this installation before then was told; null where none waits.</summary>
    public DateTimeOffset? LastNotice(Portal portal, DateTimeOffset before) =>
        Notices(portal.Id, portal.ApplicationTokenHash, isClean: false)
            .Concat(Notices(portal.Id, portal.ApplicationTokenHash, isClean: true))
            .Where(toldAt => toldAt < before).Select(toldAt => (DateTimeOffset?)toldAt).Max();

    public bool IsEmpty => spool.Count == 0;

    public bool HasEvents(Portal portal) =>
        HasEventsBefore(portal, DateTimeOffset.MaxValue) || spool.Has(Kind, OfTokens(portal.Id.MemberId));

    /// <summary>Those with a handler.</summary>
    public bool HasEventsBefore(Portal portal, DateTimeOffset instant) => spool.Waiting(Kind, portal.Id.ToString())
        .Concat(portal.ApplicationTokenHash is { } hash ? spool.Waiting(Kind, Unconfirmed(portal.Id.MemberId, hash)) : [])
        .Any(toldAt => toldAt < instant);

    /// <summary>False: there is no room.</summary>
    public Task<bool> PutAsync(EventSource source, string name, WireForm form, string share)
    {
        var text = AppEvent.IsOwn(name) ? WireEvent.OwnText(form) : WireEvent.Text(form);
        // In three lines, as no field's text has a line's end.
        var payload = $"{source.Believed?.App}\n{source.Address}\n{text}";
        return spool.PutAsync(
            Kind, KeyOf(name, form, source.Believed), payload, share, CancellationToken.None,
            name switch
            {
                AppEvent.UserReady when source.Believed is null => MaxOfUserReady,
                AppEvent.Uninstall when source.Believed is not null => MaxNotices,
                _ => SpoolShares.MaxOfKey,
            });
    }

    public static (string App, string Address, string Form) Read(string payload) =>
        payload.Split('\n') is [var app, var address, var form] ? (app, address, form)
            // An earlier version's.
            : ("", "", payload);

    private IEnumerable<DateTimeOffset> Notices(PortalId id, string? hash, bool isClean) =>
        spool.Waiting(Kind, OfNotice(id.ToString(), isClean)).Concat(
            hash is null ? [] : spool.Waiting(Kind, OfNotice(Unconfirmed(id.MemberId, hash), isClean)));

    private static string KeyOf(string name, WireForm form, PortalId? believed)
    {
        var (memberId, hash) = (form.MemberId() ?? "", ApplicationToken.Hash(form.ApplicationToken().Reveal()));
        return name switch
        {
            AppEvent.Uninstall => OfNotice(believed?.ToString() ?? Unconfirmed(memberId, hash), WireEvent.IsClean(form)),
            AppEvent.Install or AppEvent.Update => OfTokens(memberId),
            AppEvent.UserReady => $"{memberId} reserve {hash[..16]}",
            _ => believed?.ToString() ?? Unconfirmed(memberId, hash),
        };
    }

    // It waits for no event, nor for others who may only say that they are of the portal, nor does one fill the other's share.
    private static string OfNotice(string whose, bool isClean) => $"{whose} {AppEvent.Uninstall} {(isClean ? 1 : 0)}";

    // Waits for none of those that it makes known.
    private static string OfTokens(string memberId) => $"{memberId} tokens";

    // Whose token is known late, or never, keeps nobody else waiting.
    private static string Unconfirmed(string memberId, string hash) => $"{memberId} unconfirmed {hash[..16]}";
}
