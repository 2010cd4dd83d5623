using System.Collections.Concurrent;

namespace Bitrix24Placements.Apps;

/// <summary>Apps whose secret Bitrix24 has refused when it was last tried.</summary>
internal sealed class KeyTroubles
{
    private readonly ConcurrentDictionary<string, bool> _apps = new(StringComparer.Ordinal);

    public IReadOnlyList<string> Apps => [.. _apps.Keys.Order(StringComparer.Ordinal)];

    public bool Has(string app) => _apps.ContainsKey(app);

    public void Note(string app, bool isWrong)
    {
        if (isWrong)
            _apps[app] = true;
        else
            _apps.TryRemove(app, out _);
    }
}
