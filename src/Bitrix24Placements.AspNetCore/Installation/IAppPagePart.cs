namespace Bitrix24Placements.Installation;

/// <summary>How later rooms come onto the app's own page.</summary>
internal interface IAppPagePart
{
    Task<Markup> RenderAsync(HttpContext context, AppPageRequest request);
}
