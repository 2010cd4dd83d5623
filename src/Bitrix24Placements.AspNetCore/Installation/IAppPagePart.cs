namespace Bitrix24Placements.Installation;

/// <summary>Something more on the app's own page; the seam by which later rooms come onto it.</summary>
internal interface IAppPagePart
{
    Task<Markup> RenderAsync(HttpContext context, AppPageRequest request);
}
