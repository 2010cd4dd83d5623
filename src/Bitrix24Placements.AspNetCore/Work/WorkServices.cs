namespace Bitrix24Placements.Work;

internal static class WorkServices
{
    public static IServiceCollection AddWork(this IServiceCollection services)
    {
        services.AddSingleton<WorkStore>();
        services.AddSingleton<KeptInstallations>();
        services.AddSingleton<InboxStore>();
        services.AddSingleton<IWork, InboxWork>();
        services.AddSingleton<WorkSignal>();
        services.AddHostedService<KeptInstallationsFollower>();
        services.AddSingleton<WorkLoop>();
        services.AddHostedService(static p => p.GetRequiredService<WorkLoop>());
        services.AddSingleton<DetachedTasks>();
        services.AddHostedService(static p => p.GetRequiredService<DetachedTasks>());
        return services;
    }
}
