using Bitrix24Placements.Apps;
using Bitrix24Placements.Rest;
using Bitrix24Placements.Settings;

namespace Bitrix24Placements.Signals;

/// <param name="Portals">Empty: all.</param>
/// <param name="Apps">Empty: all.</param>
internal sealed record ConfiguredKey(string Setting, string Key, string[] Portals, string[] Apps)
{
    /// <summary>A limited one has a section of its own.</summary>
    public string KeySetting => Setting.StartsWith("Signals:Keys:", StringComparison.Ordinal) ? Setting + ":Key" : Setting;
}

internal sealed class SignalsOptions : ISettings
{
    public static string Section => "Signals";

    private const int MinKeyLength = 32;

    public IReadOnlyList<ConfiguredKey> Keys { get; private set; } = [];

    /// <summary>And per minute and page session.</summary>
    public int PerMinute { get; set; } = 6000;

    public void Read(IConfigurationSection section)
    {
        PerMinute = section.AtLeastOne(nameof(PerMinute), PerMinute);
        var unlimited = (section.List("ApiKeys") ?? []).Select(static (key, i) => new ConfiguredKey($"Signals:ApiKeys:{i}", key, [], []));
        var limited = section.GetSection("Keys").GetChildren()
            .Select(static k => new ConfiguredKey($"Signals:Keys:{k.Key}", k.Text("Key") ?? "", k.List("Portals") ?? [], k.List("Apps")
                ?? []));
        Keys = [.. unlimited, .. limited];
    }

    public string? Problem() =>
        Keys.Select(ProblemOf).FirstOrDefault(static p => p is not null)
            ?? Keys.GroupBy(static k => k.Key).Where(static g => g.Count() > 1)
                .Select(static g => $"{g.Last().Setting} is the key of {g.First().Setting} as well.").FirstOrDefault();

    private static string? ProblemOf(ConfiguredKey key) =>
        key.Key.Length < MinKeyLength
            ? $"{key.KeySetting} has to have at least {MinKeyLength} characters: whoever guesses a key can send signals to every user."
        : key.Portals.FirstOrDefault(static p => !PortalId.IsMemberId(p)) is not null
            ? $"{key.Setting}:Portals has to hold member_ids of 32 hexadecimal digits."
        : key.Apps.FirstOrDefault(static a => !AppsOptions.IsName(a)) is not null ? $"{key.Setting}:Apps has to hold names of apps."
        : null;
}
