namespace Bitrix24Placements.Placements;

internal sealed class PlacementTitles
{
    private readonly Dictionary<(string Name, string Language), string> _texts = [];

    public void Set(string name, string language, string text) => _texts[(name, language)] = text;

    public IEnumerable<string> Languages => _texts.Keys.Select(k => k.Language).Where(l => l.Length > 0);

    /// <summary>What is said for the language "" holds for every other.</summary>
    public string? Find(string name, string language) => _texts.GetValueOrDefault((name, language)) ?? _texts.GetValueOrDefault((name, ""));
}
