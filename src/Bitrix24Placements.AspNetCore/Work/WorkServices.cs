using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Work;

internal static class WorkServices
{
    public static IServiceCollection AddWork(this IServiceCollection services) => services
        .AddSingleton<WorkStore>()
        .AddSingleton<KeptInstallations>()
        .AddSingleton<WorkSignal>()
        .AddHostedService<ChangeFollower>()
        .AddHosted<WorkLoop>()
        .AddHosted<DetachedTasks>();
}
