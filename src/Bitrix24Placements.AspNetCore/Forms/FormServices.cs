namespace Bitrix24Placements.Forms;

internal static class FormServices
{
    public static IServiceCollection AddForms(this IServiceCollection services) => services.AddSingleton<UnfinishedBodies>();
}
