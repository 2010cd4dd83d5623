using Bitrix24Placements.Rest;
using Bitrix24Placements.Settings;

namespace Bitrix24Placements.Events;

internal delegate Task EventHandling(IServiceProvider services, object request, CancellationToken cancellationToken);

internal sealed class EventHandlers : IDeclaredEvents
{
    private readonly ConcurrentDictionary<string, EventHandling> _handlers = new(StringComparer.Ordinal);

    public IEnumerable<string> Names => _handlers.Keys.Where(n => n is not (StoredEvent.Installed or StoredEvent.Uninstalled))
        .Order(StringComparer.Ordinal);

    public EventHandling? Find(string name) => _handlers.GetValueOrDefault(name);

    public void Add(string name, EventHandling handler)
    {
        if (!_handlers.TryAdd(name, handler))
            throw new StartException($"Two handlers are mapped for the event {name}: one of them has to go.");
    }
}
