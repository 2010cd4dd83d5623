using System.Diagnostics.CodeAnalysis;

namespace Bitrix24Placements.Settings;

/// <summary>Reads configuration by hand: the binder appends to lists, knows no empty value, and seldom names the key.</summary>
internal static class SettingsReader
{
    /// <summary>A bad value stops the start with one line that names its key.</summary>
    /// <param name="problem">Where the settings alone do not show it.</param>
    public static IServiceCollection AddSettings<[DynamicallyAccessedMembers(
        DynamicallyAccessedMemberTypes.PublicParameterlessConstructor)] T>(
        this IServiceCollection services, Func<IServiceProvider, T, string?>? problem = null)
        where T : class, ISettings
    {
        services.AddOptions<T>()
            .Configure<IConfiguration, IServiceProvider>((options, configuration, provider) =>
            {
                options.Read(configuration.GetSection(T.Section));
                if ((problem is null ? options.Problem() : problem(provider, options)) is { } line)
                    throw new SettingsException(line);
            })
            .ValidateOnStart();
        return services;
    }

    public static string? Text(this IConfigurationSection section, string key) =>
        string.IsNullOrWhiteSpace(section[key]) ? null : section[key]!.Trim();

    /// <summary>Null, for the default, where nothing but empty texts is set.</summary>
    public static string[]? List(this IConfigurationSection section, string key)
    {
        var list = section.GetSection(key);
        var entries = string.IsNullOrEmpty(list.Value) ? list.GetChildren().Select(c => c.Value ?? "") : list.Value.Split(',');
        string[] set = [.. entries.Select(e => e.Trim()).Where(e => e.Length > 0).Distinct()];
        return set.Length > 0 ? set : null;
    }

    public static bool Truth(this IConfigurationSection section, string key, bool otherwise) =>
        Parsed(section, key, otherwise, bool.TryParse, "true or false");

    public static int Whole(this IConfigurationSection section, string key, int otherwise) => Parsed(section, key, otherwise,
        (text, out value) => int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value), "a whole number");

    public static int AtLeastOne(this IConfigurationSection section, string key, int otherwise) =>
        section.Whole(key, otherwise) is > 0 and var number ? number : throw Bad(section, key, "at least 1");

    public static double Number(this IConfigurationSection section, string key, double otherwise) => Parsed(section, key, otherwise,
        (text, out value) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value), "a number");

    public static T Choice<T>(this IConfigurationSection section, string key, T otherwise)
        where T : struct, Enum => Parsed(section, key, otherwise,
        (text, out value) => Enum.TryParse(text, ignoreCase: true, out value) && Enum.IsDefined(value),
        string.Join(" or ", Enum.GetNames<T>()));

    private delegate bool TryParse<T>(string text, out T value);

    private static T Parsed<T>(IConfigurationSection section, string key, T otherwise, TryParse<T> parse, string expected) =>
        section.Text(key) is not { } text ? otherwise : parse(text, out var value) ? value : throw Bad(section, key, expected);

    private static SettingsException Bad(IConfigurationSection section, string key, string expected) =>
        new($"{section.Path}:{key} has to be {expected}.");
}
