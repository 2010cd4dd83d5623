namespace Bitrix24Placements.Pages;

internal static class PageServices
{
    public static IServiceCollection AddPages(this IServiceCollection services)
    {
        services.AddSingleton<Texts>();
        services.AddSingleton<PageFrame>();
        return services;
    }
}
