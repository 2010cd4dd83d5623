using System.Globalization;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Rest;
using Bitrix24Placements.Signals;
using Microsoft.Extensions.Options;

namespace Bitrix24Placements.Hosting;

/// <summary>Binds and validates every section at start. A bad value stops the process with one line that names its key.</summary>
public static class OptionsSetup
{
    public static IServiceCollection AddValidatedOptions(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<Bitrix24Options>().Configure<IHostEnvironment>((o, _) => Bind(configuration.GetSection(Bitrix24Options.Section), o))
            .Validate<IHostEnvironment>(static (o, environment) => Check(Bitrix24Rules.Problem(o, environment))).ValidateOnStart();
        services.AddOptions<StorageOptions>().Configure(o => Bind(configuration.GetSection(StorageOptions.Section), o))
            .Validate(static o => Check(Problem(o))).ValidateOnStart();
        services.AddOptions<DataProtectionSettings>().Configure(o => o.Read(configuration.GetSection(DataProtectionSettings.Section)))
            .Validate<IOptions<StorageOptions>>(static (o, storage) => Check(Problem(o, storage.Value))).ValidateOnStart();
        services.AddOptions<SignalsOptions>().Configure(o => Bind(configuration.GetSection(SignalsOptions.Section), o))
            .Validate(static o => Check(Problem(o))).ValidateOnStart();
        services.AddOptions<LimitsOptions>().Configure(o => Bind(configuration.GetSection(LimitsOptions.Section), o))
            .Validate(static o => Check(Problem(o))).ValidateOnStart();
        services.AddOptions<ForwardedSettings>().Configure(o => Bind(configuration.GetSection(ForwardedSettings.Section), o))
            .Validate(static o => Check(o.Problem())).ValidateOnStart();
        services.AddOptions<ManagementOptions>().Configure(o => Bind(configuration.GetSection(ManagementOptions.Section), o))
            .Validate(static o => Check(o.Port is null or (> 0 and < 65536) ? null : "Management:Port has to be a port between 1 and 65535.")).ValidateOnStart();
        return services;
    }

    /// <summary>The framework would say no more than "validation failed".</summary>
    private static bool Check(string? problem) => problem is null ? true : throw new OptionsValidationException("", typeof(object), [problem]);

    private static string? Problem(StorageOptions o) =>
        string.IsNullOrWhiteSpace(o.ConnectionString) ? "Storage:ConnectionString is empty."
        : o.CachedPortals is < 1 or > 10_000_000 ? "Storage:CachedPortals has to be between 1 and 10000000."
        : ConnectionProblem(o);

    private static string? ConnectionProblem(StorageOptions o)
    {
        try
        {
            if (o.Provider == StorageProvider.PostgreSql)
                ReadPostgreSql(o.ConnectionString);
            else if (new Microsoft.Data.Sqlite.SqliteConnectionStringBuilder(o.ConnectionString).DataSource is "" or ":memory:")
                return "Storage:ConnectionString has to name a file: Data Source=…";
            return null;
        }
        catch (Exception e) when (e is ArgumentException or FormatException)
        {
            // The driver's message repeats the value, and a connection string holds a password.
            return $"Storage:ConnectionString is not a connection string of {o.Provider}.";
        }
    }

    /// <summary>In a method of its own, so that Npgsql is loaded only where it is used.</summary>
    private static void ReadPostgreSql(string connectionString) => _ = new Npgsql.NpgsqlConnectionStringBuilder(connectionString);

    private static string? Problem(DataProtectionSettings o, StorageOptions storage)
    {
        if (o.CertificatePath is null && storage.Provider == StorageProvider.PostgreSql)
            return "DataProtection:CertificatePath is required with Storage:Provider=PostgreSql: the keys of tokens are kept in the database under this certificate (a PFX file).";
        var files = o.PreviousCertificates.Select(static c => (Key: "DataProtection:PreviousCertificates", File: c));
        if (o.CertificatePath is not null)
            files = files.Prepend(("DataProtection:CertificatePath", new CertificateFile(o.CertificatePath, o.CertificatePassword)));
        foreach (var (key, file) in files)
        {
            try
            {
                using var certificate = TokenKeys.Load(file);
                if (!certificate.HasPrivateKey)
                    return $"{key}: {file.Path} has no private key.";
            }
            catch (Exception e) when (e is System.Security.Cryptography.CryptographicException or IOException or UnauthorizedAccessException)
            {
                return $"{key}: {file.Path} cannot be opened as a PFX file with the given password.";
            }
        }

        return null;
    }

    private static string? Problem(SignalsOptions o) =>
        o.PerMinute < 1 ? "Signals:PerMinute has to be at least 1."
        : null;

    private static string? Problem(LimitsOptions o) =>
        o.UnverifiedPerMinute < 1 ? "Limits:UnverifiedPerMinute has to be at least 1."
        : o.ConcurrentConfirmations < 1 ? "Limits:ConcurrentConfirmations has to be at least 1."
        : o.ConcurrentRequests < 1 ? "Limits:ConcurrentRequests has to be at least 1."
        : o.ConcurrentWorkerLoads < 1 ? "Limits:ConcurrentWorkerLoads has to be at least 1."
        : null;

    /// <summary>By hand, since the binder appends to lists, knows no empty value, and names the key only sometimes.</summary>
    private static void Bind(IConfigurationSection section, Bitrix24Options o)
    {
        o.ClientId = Text(section, nameof(o.ClientId));
        o.ClientSecret = Text(section, nameof(o.ClientSecret));
        o.PublicUrl = Text(section, nameof(o.PublicUrl))?.TrimEnd('/');
        o.AppCode = Text(section, nameof(o.AppCode));
        o.OAuthServers = List(section, nameof(o.OAuthServers)) ?? Bitrix24Options.DefaultOAuthServers;
        o.AllowedPortals = List(section, nameof(o.AllowedPortals)) ?? [];
        o.AllowInsecureHttp = Truth(section, nameof(o.AllowInsecureHttp), o.AllowInsecureHttp);
        o.Verification = Choice(section, nameof(o.Verification), o.Verification);
        o.ScriptUrl = Text(section, nameof(o.ScriptUrl)) ?? o.ScriptUrl;
        o.PullScriptUrl = Text(section, nameof(o.PullScriptUrl)) ?? o.PullScriptUrl;
        o.RequestsPerSecond = Number(section, nameof(o.RequestsPerSecond), o.RequestsPerSecond);
        o.RequestBurst = Whole(section, nameof(o.RequestBurst), o.RequestBurst);
    }

    private static void Bind(IConfigurationSection section, StorageOptions o)
    {
        o.Provider = Choice(section, nameof(o.Provider), o.Provider);
        o.ConnectionString = Text(section, nameof(o.ConnectionString)) ?? o.ConnectionString;
        o.CachedPortals = Whole(section, nameof(o.CachedPortals), o.CachedPortals);
    }

    private static void Bind(IConfigurationSection section, SignalsOptions o)
    {
        o.ApiKeys = List(section, nameof(o.ApiKeys)) ?? [];
        o.PerMinute = Whole(section, nameof(o.PerMinute), o.PerMinute);
    }

    private static void Bind(IConfigurationSection section, LimitsOptions o)
    {
        o.UnverifiedPerMinute = Whole(section, nameof(o.UnverifiedPerMinute), o.UnverifiedPerMinute);
        o.ConcurrentConfirmations = Whole(section, nameof(o.ConcurrentConfirmations), o.ConcurrentConfirmations);
        o.ConcurrentRequests = Whole(section, nameof(o.ConcurrentRequests), o.ConcurrentRequests);
        o.ConcurrentWorkerLoads = Whole(section, nameof(o.ConcurrentWorkerLoads), o.ConcurrentWorkerLoads);
    }

    private static void Bind(IConfigurationSection section, ForwardedSettings o)
    {
        o.KnownProxies = List(section, nameof(o.KnownProxies));
        o.KnownNetworks = List(section, nameof(o.KnownNetworks));
    }

    private static void Bind(IConfigurationSection section, ManagementOptions o) =>
        o.Port = Text(section, nameof(o.Port)) is null ? null : Whole(section, nameof(o.Port), 0);

    private static string? Text(IConfigurationSection section, string key) => string.IsNullOrWhiteSpace(section[key]) ? null : section[key]!.Trim();

    /// <summary>Null where the list is not configured, or holds nothing but empty texts: then its default stands. Repeated entries are harmless.</summary>
    private static string[]? List(IConfigurationSection section, string key)
    {
        var list = section.GetSection(key);
        if (!list.Exists())
            return null;
        var entries = string.IsNullOrEmpty(list.Value) ? list.GetChildren().Select(static c => c.Value ?? "") : list.Value.Split(',');
        string[] set = [.. entries.Select(static e => e.Trim()).Where(static e => e.Length > 0).Distinct(StringComparer.Ordinal)];
        return set.Length > 0 ? set : null;
    }

    private static bool Truth(IConfigurationSection section, string key, bool otherwise) =>
        Text(section, key) is not { } text ? otherwise : bool.TryParse(text, out var value) ? value : throw Bad(section, key, "true or false");

    private static int Whole(IConfigurationSection section, string key, int otherwise) =>
        Text(section, key) is not { } text ? otherwise : int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) ? value : throw Bad(section, key, "a whole number");

    private static double Number(IConfigurationSection section, string key, double otherwise) =>
        Text(section, key) is not { } text ? otherwise : double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? value : throw Bad(section, key, "a number");

    private static T Choice<T>(IConfigurationSection section, string key, T otherwise)
        where T : struct, Enum =>
        Text(section, key) is not { } text ? otherwise
        : Enum.TryParse<T>(text, ignoreCase: true, out var value) && Enum.IsDefined(value) ? value
        : throw Bad(section, key, string.Join(" or ", Enum.GetNames<T>()));

    private static OptionsValidationException Bad(IConfigurationSection section, string key, string expected) =>
        new("", typeof(object), [$"{section.Path}:{key} has to be {expected}."]);
}
