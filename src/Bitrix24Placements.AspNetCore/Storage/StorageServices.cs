using Bitrix24Placements.Settings;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.Extensions.Options;

namespace Bitrix24Placements.Storage;

internal static class StorageServices
{
    public static IServiceCollection AddStorage(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSettings<StorageOptions>(StorageOptions.Section, static (s, o) => o.Read(s), static (_, o) => o.Problem());
        services.AddSettings<DataProtectionSettings>(DataProtectionSettings.Section, static (s, o) => o.Read(s),
            static (provider, o) => o.Problem(provider.GetRequiredService<IOptions<StorageOptions>>().Value));
        services.AddTokenKeys(configuration);
        services.AddDatabase();
        services.AddSingleton<Readiness>();
        services.AddHostedService(static p => p.GetRequiredService<Readiness>());
        services.AddSingleton<SpoolCarrier>();
        services.AddHostedService(static p => p.GetRequiredService<SpoolCarrier>());
        return services;
    }

    public static IServiceCollection AddDatabase(this IServiceCollection services)
    {
        services.AddSingleton<Database>();
        services.AddSingleton<SchemaInstaller>();
        services.AddSingleton<TokenVault>();
        services.AddSingleton<Spool>();
        services.AddSingleton<IConfigureOptions<KeyManagementOptions>, TokenKeys>();
        return services;
    }

    /// <summary>The application name is fixed: a moved folder or a new version still reads old tokens.</summary>
    public static IDataProtectionBuilder AddTokenKeys(this IServiceCollection services, IConfiguration configuration)
    {
        var builder = services.AddDataProtection().SetApplicationName("Bitrix24Placements").ReadKeysUnderCertificates(configuration);
        // The framework would read the keys before the server listens, and go on without them where the database is late: Readiness reads them.
        var reader = services.FirstOrDefault(static s => s.ServiceType == typeof(IHostedService)
            && s.ImplementationType?.Assembly == typeof(DataProtectionServiceCollectionExtensions).Assembly);
        if (reader is not null)
            services.Remove(reader);
        return builder;
    }

    /// <summary>Keys stand under the present certificate, or under one of its predecessors.</summary>
    private static IDataProtectionBuilder ReadKeysUnderCertificates(this IDataProtectionBuilder builder, IConfiguration configuration)
    {
        var settings = new DataProtectionSettings();
        settings.Read(configuration.GetSection(DataProtectionSettings.Section));
        IEnumerable<CertificateFile> files = settings.CertificatePath is { } path
            ? [new(path, settings.CertificatePassword), .. settings.PreviousCertificates]
            : settings.PreviousCertificates;
        try
        {
            return builder.UnprotectKeysWithAnyCertificate([.. files.Select(TokenKeys.Load)]);
        }
        catch (Exception e) when (e is System.Security.Cryptography.CryptographicException or IOException or UnauthorizedAccessException)
        {
            // The validation at start says which file it is.
            return builder;
        }
    }
}
