using Bitrix24Placements.Portals;
using Bitrix24Placements.Work;

namespace Bitrix24Placements.Events;

internal sealed class Inbox(InboxStore store, WorkSignal signal, EventHandlers handlers)
{
    public async Task<bool> AddAsync(PortalId id, StoredEvent stored, CancellationToken cancellationToken)
    {
        if (!await store.AddAsync(new(id, stored.Id, stored.Name, stored.Serialize()), cancellationToken))
            return false;
        signal.Wake();
        return true;
    }

    public Task InstalledAsync(Portal portal, DateTimeOffset at, CancellationToken cancellationToken) =>
        AddOwnAsync(portal, StoredEvent.Installed, false, at, cancellationToken);

    public Task UninstalledAsync(Portal portal, bool clean, DateTimeOffset at, CancellationToken cancellationToken) =>
        AddOwnAsync(portal, StoredEvent.Uninstalled, clean, at, cancellationToken);

    private async Task AddOwnAsync(Portal portal, string name, bool clean, DateTimeOffset at, CancellationToken cancellationToken)
    {
        if (handlers.Find(name) is null)
            return;
        var address = new KnownPortal(portal).Address;
        await AddAsync(portal.Id,
            new($"{name}-{portal.Epoch}", name, address.Domain, address.Protocol, null, at.ToUnixTimeSeconds(), null, clean),
            cancellationToken);
    }
}
