using System.Reflection;

namespace Bitrix24Placements;

/// <summary>What the pages say, by Bitrix24's language codes. A language or a text that is missing is English.</summary>
public sealed class Texts
{
    internal const string Fallback = "en";

    /// <summary>Bitrix24's codes: <c>la</c> is Spanish, <c>br</c> Brazilian Portuguese.</summary>
    internal static readonly string[] Languages = ["en", "ru", "de", "la", "br"];

    private readonly ConcurrentDictionary<string, ConcurrentDictionary<string, string>> _texts = new();

    /// <summary>The text in a language, or in English; the key itself where there is none.</summary>
    public string Get(string language, string key) => Find(language, key) ?? key;

    /// <summary>Null where neither that language nor English has it.</summary>
    public string? Find(string language, string key) => FindIn(Own(language), key) ?? FindIn(Fallback, key);

    internal string OfError(string language, string code) =>
        Find(language, "error." + code) ?? string.Format(CultureInfo.InvariantCulture, Get(language, "error.other"), code);

    /// <summary>Adds an app's own texts, or replaces the library's: usually once, at the start.</summary>
    /// <param name="language">Bitrix24's code, or <c>es</c> and <c>pt</c>; may be one that the library does not speak.</param>
    public void Add(string language, IReadOnlyDictionary<string, string> texts)
    {
        var all = In(Own(language));
        foreach (var (key, text) in texts)
            all[key] = text;
    }

    /// <summary>What a request calls its language has no entry for that alone.</summary>
    private string? FindIn(string language, string key) =>
        (Languages.Contains(language) ? In(language) : _texts.GetValueOrDefault(language))?.GetValueOrDefault(key);

    /// <summary>For <c>lang="…"</c>: what a browser and a screen reader call the language.</summary>
    public static string HtmlLanguage(string language) => Spoken(language) switch
    {
        "la" => "es",
        "br" => "pt-BR",
        var same => same,
    };

    /// <summary>One of <see cref="Languages"/>.</summary>
    internal static string Spoken(string language) => Own(language) is var own && Languages.Contains(own) ? own : Fallback;

    /// <summary>In any case, and by the usual codes too: a refusal is written in a language that nobody has looked at yet.</summary>
    private static string Own(string language) => language.ToLowerInvariant() switch
    {
        "es" => "la",
        "pt" => "br",
        var own => own,
    };

    internal IEnumerable<string> Keys(string language) => In(language).Keys;

    private ConcurrentDictionary<string, string> In(string language) => _texts.GetOrAdd(language, Read);

    private static ConcurrentDictionary<string, string> Read(string language)
    {
        var assembly = Assembly.GetExecutingAssembly();
        // A room may have a folder Texts of its own.
        var files = assembly.GetManifestResourceNames().Where(n => n.EndsWith($".Texts.{language}.json", StringComparison.Ordinal));
        var texts = new ConcurrentDictionary<string, string>();
        foreach (var file in files)
        {
            using var stream = assembly.GetManifestResourceStream(file)!;
            using var json = JsonDocument.Parse(stream);
            foreach (var text in json.RootElement.EnumerateObject())
            {
                if (!texts.TryAdd(text.Name, text.Value.GetString()!))
                    throw new InvalidOperationException($"The text {text.Name} stands in two files.");
            }
        }

        return texts;
    }
}
