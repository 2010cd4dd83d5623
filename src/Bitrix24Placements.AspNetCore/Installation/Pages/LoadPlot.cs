using Bitrix24Placements.Portals;

namespace Bitrix24Placements.Installation;

internal static class LoadPlot
{
    private const int Left = 32;
    private const int Width = 480;
    private const int Height = 120;
    private const int Below = 36;
    private const int TopSeconds = 6;

    private static readonly int[] LabelledHours = [24, 18, 12, 6, 0];

    public static Markup Render(IReadOnlyList<WorkerHour> hours, Func<string, string> t) => Html.Of(
        $"""
        <section aria-labelledby="loads">
        <h2 id="loads">{t("app.loads")}</h2>
        {(hours.Count == 0 ? Html.Of($"<p>{t("app.loads.none")}</p>") : Plot(hours, t))}
        </section>
        """);

    private static Markup Plot(IReadOnlyList<WorkerHour> hours, Func<string, string> t)
    {
        var last = hours[^1].Hour;
        var bars = hours.Select(h =>
        {
            var seconds = h.WorstMilliseconds / 1000.0;
            var height = Math.Max(2, Math.Min(seconds, TopSeconds) / TopSeconds * Height);
            return Html.Of(
                $"""
                <rect class="{(h.Slow > 0 ? "slow" : "fast")}" x="{X(last - h.Hour + 1) + 2}" y="{Number(Height - height)}"
                width="{(Width / 24) - 4}" height="{Number(height)}"><title>{h.Hour % 24}:00: {Number(seconds)} s</title></rect>
                """);
        });
        var budget = string.Format(CultureInfo.InvariantCulture, t("app.loads.budget"), hours.Sum(h => h.Slow),
            hours.Sum(h => h.Loads));
        return Html.Of(
            $"""
            <svg class="plot" viewBox="0 -10 {Left + Width} {Height + Below + 10}" role="img" aria-label="{t("app.loads.worst")}">
            {Axes(t)}{Html.Join(bars)}
            <line class="limit" x1="{Left}" x2="{Left + Width}" y1="{Y(5)}" y2="{Y(5)}"/></svg>
            <p class="small">{t("app.loads.worst")}</p>
            <p id="budget">{budget}</p>
            """);
    }

    private static Markup Axes(Func<string, string> t)
    {
        var seconds = Enumerable.Range(0, TopSeconds / 2).Select(i => i * 2).Append(5)
            .Select(s => Html.Of($"""<text x="{Left - 6}" y="{Y(s)}" text-anchor="end" dominant-baseline="middle">{s}</text>"""));
        var hours = LabelledHours.Select(h =>
            Html.Of($"""<text x="{X(h)}" y="{Height + 14}" text-anchor="{(h == 0 ? "end" : "middle")}">{h}</text>"""));
        return Html.Of(
            $"""
            <g class="axes" stroke="none" font-size="11" fill="currentColor">{Html.Join(seconds)}{Html.Join(hours)}
            <text x="0" y="-1">{t("app.loads.seconds")}</text>
            <text x="{Left + (Width / 2)}" y="{Height + 30}" text-anchor="middle">{t("app.loads.hours")}</text></g>
            <path d="M{Left} 0V{Height}H{Left + Width}" fill="none" stroke="currentColor" stroke-width="1"/>
            """);
    }

    private static long X(long hoursAgo) => Left + Width - (hoursAgo * Width / 24);

    private static string Y(double seconds) => Number(Height - (seconds / TopSeconds * Height));

    private static string Number(double value) => value.ToString("0.###", CultureInfo.InvariantCulture);
}
