using Bitrix24Placements.Apps;
using Bitrix24Placements.Rest;
using Bitrix24Placements.Settings;

namespace Bitrix24Placements.Signals;

internal sealed record ConfiguredKey(string Setting, string Key, ApiCaller Caller);

internal sealed class SignalsOptions : ISettings
{
    public static string Section => "Signals";

    private const int MinKeyLength = 32;

    public IReadOnlyList<ConfiguredKey> Keys { get; private set; } = [];

    /// <summary>For each key and each page session.</summary>
    public int PerMinute { get; set; } = 6000;

    public void Read(IConfigurationSection section)
    {
        PerMinute = section.AtLeastOne(nameof(PerMinute), PerMinute);
        var unlimited = (section.List("ApiKeys") ?? []).Select((key, i) =>
            new ConfiguredKey($"Signals:ApiKeys:{i}", key, new($"Signals:ApiKeys:{i}")));
        var limited = section.GetSection("Keys").GetChildren().Select(k => new ConfiguredKey(
            $"Signals:Keys:{k.Key}:Key", k.Text("Key") ?? "",
            new($"Signals:Keys:{k.Key}",
                LimitOf(k, "Portals")?.ToHashSet(StringComparer.OrdinalIgnoreCase), LimitOf(k, "Apps")?.ToHashSet())));
        Keys = [.. unlimited, .. limited];
    }

    /// <summary>Null: none. An empty one, such as a variable that was not set, was not meant to open everything.</summary>
    private static string[]? LimitOf(IConfigurationSection key, string name) => key.List(name)
        ?? (key.GetSection(name).Exists() ? throw new SettingsException($"Signals:Keys:{key.Key}:{name} is there and empty.") : null);

    public string? Problem() =>
        Keys.Select(ProblemOf).FirstOrDefault(p => p is not null)
            ?? Keys.GroupBy(k => k.Key).Where(g => g.Count() > 1)
                .Select(g => $"{g.Last().Caller.Name} is the key of {g.First().Caller.Name} as well.").FirstOrDefault();

    private static string? ProblemOf(ConfiguredKey key) =>
        key.Key.Length < MinKeyLength
            ? $"{key.Setting} has to have at least {MinKeyLength} characters: whoever guesses a key can send signals to every user."
        : key.Caller.Portals?.All(PortalId.IsMemberId) == false
            ? $"{key.Caller.Name}:Portals has to hold member_ids of 32 hexadecimal digits."
        : key.Caller.Apps?.All(AppsOptions.IsName) == false ? $"{key.Caller.Name}:Apps has to hold names of apps."
        : null;
}
