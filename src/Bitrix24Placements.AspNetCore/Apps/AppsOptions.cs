using Bitrix24Placements.Settings;

namespace Bitrix24Placements.Apps;

internal sealed class AppsOptions : ISettings
{
    public static string Section => "Bitrix24";

    /// <summary>The default app first, if it has both keys.</summary>
    public IReadOnlyList<RegisteredApp> Apps { get; private set; } = [];

    /// <summary>The key that the default app lacks, where it has the other one.</summary>
    public string? MissingKey { get; private set; }

    private string? _problem;

    public void Read(IConfigurationSection section)
    {
        var apps = new List<RegisteredApp>();
        Add(PortalId.DefaultApp, section);
        foreach (var named in section.GetSection("Apps").GetChildren())
            Add(named.Key, named);
        Apps = apps;

        void Add(string name, IConfigurationSection keys)
        {
            var (id, secret) = (keys.Text("ClientId"), keys.Text("ClientSecret"));
            if (id is not null && secret is not null)
                apps.Add(new(name, id, new(secret), keys.Text("AppCode")));
            else if (name != PortalId.DefaultApp)
                _problem ??= $"Bitrix24:Apps:{name} needs both ClientId and ClientSecret.";
            else if ((id ?? secret) is not null)
                MissingKey = id is null ? "Bitrix24:ClientId" : "Bitrix24:ClientSecret";
            if (name == PortalId.DefaultApp && keys != section)
                _problem ??= $"Bitrix24:Apps:{name}: the default app's keys are Bitrix24:ClientId and Bitrix24:ClientSecret.";
            else if (!IsName(name))
                _problem ??= $"Bitrix24:Apps:{name}: a name has 1 to 64 letters, digits, _ and -.";
        }
    }

    public string? Problem() =>
        _problem ?? (Apps.GroupBy(a => a.ClientId).FirstOrDefault(g => g.Count() > 1) is { } twice
            ? $"Bitrix24:Apps:{twice.Last().Name}:ClientId is that of another app as well." : null);

    public static bool IsName(string name) =>
        name.Length is > 0 and <= 64 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-');
}
