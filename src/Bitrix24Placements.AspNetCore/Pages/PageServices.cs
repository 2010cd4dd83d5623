using Bitrix24Placements.Rest;

namespace Bitrix24Placements.Pages;

internal static class PageServices
{
    public static IServiceCollection AddPages(this IServiceCollection services)
    {
        services.AddSingleton<Texts>();
        services.AddSingleton(p => new PageFrame(p.GetRequiredService<IOptions<Bitrix24Options>>()));
        return services;
    }
}
