using Bitrix24Placements.Rest;

namespace Bitrix24Placements.Pages;

internal static class PageServices
{
    public static void AddPages(this IServiceCollection services) => services
        .AddSingleton<Texts>()
        .AddSingleton(p => new PageFrame(p.GetRequiredService<IOptions<Bitrix24Options>>()));
}
