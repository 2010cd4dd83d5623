using System.Diagnostics.CodeAnalysis;
using Bitrix24Placements.Settings;

namespace Bitrix24Placements.Storage;

internal static class StorageServices
{
    public static IServiceCollection AddStorage(this IServiceCollection services)
    {
        services.AddSettings<StorageOptions>();
        services.AddSettings<DataProtectionSettings>(
            (provider, o) => o.Problem(provider.GetRequiredService<IOptions<StorageOptions>>().Value));
        services.AddDatabase();
        services.AddHosted<Readiness>();
        services.AddHosted<SqliteFileWatch>();
        services.AddHosted<SpoolCarrier>();
        return services;
    }

    public static IServiceCollection AddDatabase(this IServiceCollection services)
    {
        services.AddSingleton<Database>();
        services.AddSingleton<SchemaInstaller>();
        services.AddSingleton<TokenVault>();
        services.AddSingleton<Spool>();
        services.AddSingleton<TokenKeys>();
        services.AddSingleton<DatabaseClock>();
        return services;
    }

    public static IServiceCollection AddHosted<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] T>(
        this IServiceCollection services)
        where T : class, IHostedService =>
        services.AddSingleton<T>().AddHostedService(p => p.GetRequiredService<T>());
}
