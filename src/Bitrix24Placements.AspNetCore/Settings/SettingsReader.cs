using System.Diagnostics.CodeAnalysis;

namespace Bitrix24Placements.Settings;

/// <summary>Reads configuration by hand: the binder appends to lists, knows no empty value, and names the key only sometimes.</summary>
internal static class SettingsReader
{
    /// <summary>Validates at start: a bad value stops the process with one line that names its key.</summary>
    /// <param name="problem">Where it takes more than the settings themselves to see it.</param>
    public static IServiceCollection AddSettings<[DynamicallyAccessedMembers(
        DynamicallyAccessedMemberTypes.PublicParameterlessConstructor)] T>(
        this IServiceCollection services, Func<IServiceProvider, T, string?>? problem = null)
        where T : class, ISettings
    {
        services.AddOptions<T>()
            .Configure<IConfiguration>((options, configuration) => options.Read(configuration.GetSection(T.Section)))
            .Validate<IServiceProvider>((options, provider) =>
                Check(problem is null ? options.Problem() : problem(provider, options)))
            .ValidateOnStart();
        return services;
    }

    public static string? Text(this IConfigurationSection section, string key) =>
        string.IsNullOrWhiteSpace(section[key]) ? null : section[key]!.Trim();

    /// <summary>Null where nothing but empty texts is configured: then the default stands.</summary>
    public static string[]? List(this IConfigurationSection section, string key)
    {
        var list = section.GetSection(key);
        var entries = string.IsNullOrEmpty(list.Value) ? list.GetChildren().Select(c => c.Value ?? "") : list.Value.Split(',');
        string[] set = [.. entries.Select(e => e.Trim()).Where(e => e.Length > 0).Distinct()];
        return set.Length > 0 ? set : null;
    }

    public static bool Truth(this IConfigurationSection section, string key, bool otherwise) =>
        section.Text(key) is not { } text
            ? otherwise
            : bool.TryParse(text, out var value)
            ? value
            : throw Bad(section, key, "true or false");

    public static int Whole(this IConfigurationSection section, string key, int otherwise) =>
        section.Text(key) is not { } text ? otherwise
        : int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) ? value
        : throw Bad(section, key, "a whole number");

    public static int AtLeastOne(this IConfigurationSection section, string key, int otherwise) =>
        section.Whole(key, otherwise) is > 0 and var number ? number : throw Bad(section, key, "at least 1");

    public static double Number(this IConfigurationSection section, string key, double otherwise) =>
        section.Text(key) is not { } text ? otherwise
        : double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? value
        : throw Bad(section, key, "a number");

    public static T Choice<T>(this IConfigurationSection section, string key, T otherwise)
        where T : struct, Enum =>
        section.Text(key) is not { } text ? otherwise
        : Enum.TryParse<T>(text, ignoreCase: true, out var value) && Enum.IsDefined(value) ? value
        : throw Bad(section, key, string.Join(" or ", Enum.GetNames<T>()));

    /// <summary>The framework would say no more than "validation failed".</summary>
    private static bool Check(string? problem) =>
        problem is null ? true : throw new SettingsException(problem);

    private static SettingsException Bad(IConfigurationSection section, string key, string expected) =>
        new($"{section.Path}:{key} has to be {expected}.");
}
