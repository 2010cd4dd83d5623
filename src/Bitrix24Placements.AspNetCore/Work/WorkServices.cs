using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Work;

internal static class WorkServices
{
    public static IServiceCollection AddWork(this IServiceCollection services)
    {
        services.AddSingleton<WorkStore>();
        services.AddSingleton<KeptInstallations>();
        services.AddSingleton<WorkSignal>();
        services.AddHostedService<ChangeFollower>();
        services.AddHosted<WorkLoop>();
        services.AddHosted<DetachedTasks>();
        return services;
    }
}
