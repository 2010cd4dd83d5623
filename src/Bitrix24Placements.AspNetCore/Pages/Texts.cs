using System.Collections.Concurrent;
using System.Reflection;
using System.Text.Json;

namespace Bitrix24Placements.Pages;

/// <summary>What the pages say, by Bitrix24's language codes. A language or a text that is missing is English.</summary>
internal sealed class Texts
{
    public const string Fallback = "en";

    /// <summary>Bitrix24's codes: <c>la</c> is Spanish, <c>br</c> Brazilian Portuguese.</summary>
    public static readonly string[] Languages = ["en", "ru", "de", "la", "br"];

    private readonly ConcurrentDictionary<string, IReadOnlyDictionary<string, string>> _texts = new(StringComparer.Ordinal);

    public string Get(string language, string key) =>
        In(Own(language)).TryGetValue(key, out var text) ? text
        : In(Fallback).TryGetValue(key, out var english) ? english
        : key;

    /// <summary>Null where no language has it.</summary>
    public string? Find(string language, string key) => In(Fallback).ContainsKey(key) ? Get(language, key) : null;

    /// <summary>For <c>lang="…"</c>: what a browser and a screen reader call the language.</summary>
    public static string HtmlLanguage(string language) => Own(language) switch
    {
        "la" => "es",
        "br" => "pt-BR",
        "ru" => "ru",
        "de" => "de",
        _ => Fallback,
    };

    /// <summary>In any case, and by the usual codes too: a refusal is written in a language that nobody has looked at yet.</summary>
    private static string Own(string language) => language.ToLowerInvariant() switch
    {
        "es" => "la",
        "pt" => "br",
        var own => own,
    };

    internal IEnumerable<string> Keys(string language) => In(language).Keys;

    private IReadOnlyDictionary<string, string> In(string language) =>
        _texts.GetOrAdd(Array.IndexOf(Languages, language) < 0 ? Fallback : language, Read);

    private static IReadOnlyDictionary<string, string> Read(string language)
    {
        var assembly = Assembly.GetExecutingAssembly();
        var texts = new Dictionary<string, string>(StringComparer.Ordinal);
        // A room may have a folder Texts of its own.
        foreach (var file in assembly.GetManifestResourceNames().Where(n => n.EndsWith($".Texts.{language}.json", StringComparison.Ordinal)))
        {
            using var stream = assembly.GetManifestResourceStream(file)!;
            using var json = JsonDocument.Parse(stream);
            foreach (var text in json.RootElement.EnumerateObject())
                texts.Add(text.Name, text.Value.GetString()!);
        }

        return texts;
    }
}
