using System.Globalization;
using Bitrix24Placements.Portals;

namespace Bitrix24Placements.Installation;

/// <summary>The worker's slowest answer of every hour of the last day against the five seconds from which Bitrix24 counts, as an SVG.</summary>
internal static class LoadPlot
{
    private const int Width = 480;
    private const int Height = 120;
    private const double TopSeconds = 6;

    public static Markup Render(IReadOnlyList<WorkerHour> hours, Func<string, string> t)
    {
        var body = hours.Count == 0 ? Html.Of($"<p>{t("app.loads.none")}</p>") : Plot(hours, t);
        return Html.Of(
            $"""
            <section aria-labelledby="loads">
            <h2 id="loads">{t("app.loads")}</h2>
            {body}
            </section>
            """);
    }

    private static Markup Plot(IReadOnlyList<WorkerHour> hours, Func<string, string> t)
    {
        var last = hours[^1].Hour;
        var bars = hours.Select(h =>
        {
            var seconds = h.WorstMilliseconds / 1000.0;
            var height = Math.Max(2, Math.Min(seconds, TopSeconds) / TopSeconds * Height);
            var x = Width - ((last - h.Hour + 1) * Width / 24) + 2;
            return Html.Of($"""<rect class="{(h.Slow > 0 ? "slow" : "fast")}" x="{x}" y="{Number(Height - height)}" width="{(Width / 24) - 4}" height="{Number(height)}"><title>{h.Hour % 24}:00: {Number(seconds)} s</title></rect>""");
        });
        var line = Number(Height - (5 / TopSeconds * Height));
        var budget = string.Format(CultureInfo.InvariantCulture, t("app.loads.budget"), hours.Sum(static h => h.Slow), hours.Sum(static h => h.Loads));
        return Html.Of(
            $"""
            <svg class="plot" viewBox="0 0 {Width} {Height}" preserveAspectRatio="none" role="img" aria-label="{t("app.loads.worst")}">{Html.Join(bars)}<line class="limit" x1="0" x2="{Width}" y1="{line}" y2="{line}"/></svg>
            <p class="small">{t("app.loads.worst")}</p>
            <p id="budget">{budget}</p>
            """);
    }

    private static string Number(double value) => value.ToString("0.###", CultureInfo.InvariantCulture);
}
