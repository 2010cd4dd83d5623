namespace Bitrix24Placements.Apps;

/// <summary>Apps whose secret Bitrix24 refused when it was last tried.</summary>
internal sealed class KeyTroubles(AppRegistry apps)
{
    private readonly ConcurrentDictionary<string, Secret> _refused = new();

    public IReadOnlyList<string> Apps => [.. _refused.Keys.Where(Has).Order(StringComparer.Ordinal)];

    /// <summary>A later secret has not been refused.</summary>
    public bool Has(string app) => _refused.TryGetValue(app, out var secret) && apps.Find(app)?.ClientSecret == secret;

    /// <returns>Whether that was not known yet.</returns>
    public bool Note(string app, bool isWrong)
    {
        if (Has(app) == isWrong || apps.Find(app) is not { } keys)
            return false;
        if (isWrong)
            _refused[app] = keys.ClientSecret;
        else
            _refused.TryRemove(app, out _);
        return true;
    }
}
