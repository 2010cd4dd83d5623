using Bitrix24Placements.Installation;

namespace Bitrix24Placements.Doctor;

internal sealed class DoctorPart(PageFrame pages, Texts texts, Heartbeats heartbeats) : IAppPagePart
{
    public async Task<Markup> RenderAsync(HttpContext context, AppPageRequest request)
    {
        if (request.Known is not { } known)
            return default;
        string T(string key) => texts.Get(request.Language, key);
        var day = await heartbeats.SumAsync(known.Id, context.RequestAborted);
        var says = day.Loads == 0 ? T("heartbeat.none") : string.Format(
            CultureInfo.InvariantCulture, T("heartbeat.says"), day.Loads,
                day.TotalMilliseconds / day.Loads / 1000.0, day.WorstMilliseconds / 1000.0);
        return Html.Of(
            $"""
            <p id="heartbeat" data-count="{day.Loads}">{says}</p>
            <section aria-labelledby="doctor-title" id="doctor" hidden
             data-language="{request.Language}" data-failed="{T("doctor.refused")}"
                 data-seen="{T("doctor.seen")}" data-do="{T("doctor.todo")}"
             data-healthy="{T("doctor.healthy")}" data-ill="{T("doctor.ill")}">
            <h2 id="doctor-title">{T("doctor.title")}</h2>
            <p>{T("doctor.intro")}</p>
            <p><button type="button" id="examine">{T("doctor.start")}</button></p>
            <ul class="steps" id="examined" aria-live="polite"></ul>
            <p id="diagnosis" role="status"></p>
            </section>
            {pages.Module(context, "doctor.js")}
            """);
    }
}
