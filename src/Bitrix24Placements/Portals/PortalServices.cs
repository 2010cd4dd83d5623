using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Options;

namespace Bitrix24Placements.Portals;

public static class PortalServices
{
    public static IServiceCollection AddPortals(this IServiceCollection services)
    {
        services.AddSingleton<Database>();
        services.AddSingleton<SchemaInstaller>();
        services.AddSingleton<PortalDirectory>();
        services.AddSingleton<TokenVault>();
        services.AddSingleton<PortalStore>();
        services.AddSingleton<WorkStore>();
        services.AddSingleton<WorkerLoadStore>();
        services.AddHostedService<ChangeFollower>();
        services.AddSingleton<IConfigureOptions<Microsoft.AspNetCore.DataProtection.KeyManagement.KeyManagementOptions>, TokenKeys>();
        return services;
    }

    /// <summary>The application name is fixed: a moved folder or a new version still reads old tokens.</summary>
    public static IDataProtectionBuilder AddTokenKeys(this IServiceCollection services, IConfiguration configuration)
    {
        var builder = services.AddDataProtection().SetApplicationName("Bitrix24Placements").ReadKeysUnderCertificates(configuration);
        // The framework would read the keys before the server listens, and go on without them where the database is late: WarmUp reads them.
        if (services.FirstOrDefault(static s => s.ServiceType == typeof(IHostedService) && s.ImplementationType?.Assembly == typeof(DataProtectionServiceCollectionExtensions).Assembly) is { } reader)
            services.Remove(reader);
        return builder;
    }

    /// <summary>Keys stand under the present certificate, or under one of its predecessors.</summary>
    private static IDataProtectionBuilder ReadKeysUnderCertificates(this IDataProtectionBuilder builder, IConfiguration configuration)
    {
        var settings = new DataProtectionSettings();
        settings.Read(configuration.GetSection(DataProtectionSettings.Section));
        IEnumerable<CertificateFile> files = settings.CertificatePath is { } path ? [new(path, settings.CertificatePassword), .. settings.PreviousCertificates] : settings.PreviousCertificates;
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
