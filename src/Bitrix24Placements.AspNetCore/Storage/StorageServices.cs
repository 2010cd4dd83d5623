using System.Diagnostics.CodeAnalysis;
using Bitrix24Placements.Settings;

namespace Bitrix24Placements.Storage;

internal static class StorageServices
{
    public static IServiceCollection AddStorage(this IServiceCollection services) => services
        .AddSettings<StorageOptions>()
        .AddSettings<DataProtectionSettings>((provider, o) => o.Problem(provider.GetRequiredService<IOptions<StorageOptions>>().Value))
        .AddDatabase()
        .AddHosted<Readiness>()
        .AddHosted<SqliteFileWatch>()
        .AddHosted<SpoolCarrier>();

    public static IServiceCollection AddDatabase(this IServiceCollection services) => services
        .AddSingleton<Database>()
        .AddSingleton<SchemaInstaller>()
        .AddSingleton<TokenVault>()
        .AddSingleton<Spool>()
        .AddSingleton<TokenKeys>()
        .AddSingleton<DatabaseClock>();

    public static IServiceCollection AddHosted<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] T>(
        this IServiceCollection services)
        where T : class, IHostedService =>
        services.AddSingleton<T>().AddHostedService(p => p.GetRequiredService<T>());
}
