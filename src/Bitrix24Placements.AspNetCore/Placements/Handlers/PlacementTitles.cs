namespace Bitrix24Placements.Placements;

internal sealed class PlacementTitles
{
    private readonly Dictionary<(string Name, string Language), string> _texts = [];

    public void Set(string name, string language, string text) => _texts[(name, language)] = text;

    public IEnumerable<string> Languages => _texts.Keys.Select(k => k.Language).Where(l => l.Length > 0);

    public string? Find(string name, string language) => _texts.GetValueOrDefault((name, language)) ?? _texts.GetValueOrDefault((name, ""));

    /// <summary><c>LANG_ALL</c> of <c>placement.bind</c>; what is said for the language "" holds for every other.</summary>
    public JsonObject InAll(IEnumerable<string> languages, Func<string, string, string> fallback)
    {
        var all = new JsonObject();
        foreach (var language in languages.Union(Languages))
        {
            var texts = new JsonObject();
            foreach (var name in new[] { "TITLE", "DESCRIPTION", "GROUP_NAME" })
                texts[name] = Find(name, language) ?? fallback(name, language);
            all[language] = texts;
        }

        return all;
    }
}
