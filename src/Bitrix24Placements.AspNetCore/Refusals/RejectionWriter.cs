using System.Net.Mime;
using System.Text.Encodings.Web;
using Bitrix24Placements.Inspector;
using Bitrix24Placements.Pages;

namespace Bitrix24Placements.Refusals;

/// <summary>Problem+json (RFC 9457), or a small page for those who ask for HTML.</summary>
internal sealed class RejectionWriter(Texts texts)
{
    private const string RetryScript = "document.getElementById('retry').addEventListener('click', () => location.reload());";

    /// <summary>It also has to be seen in portals that are not served.</summary>
    private const string PagePolicy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

    private static readonly string RetryPolicy = $"{PagePolicy}; script-src '{PageFrame.HashOf(RetryScript)}'";

    /// <summary>The answer is never taken for HTML, so apostrophes may stay.</summary>
    private static readonly ProblemJson Readable =
        new(new(ProblemJson.Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    private static readonly Markup Style = new(
        "body{font:15px/1.5 system-ui,sans-serif;margin:2rem;max-width:40rem;color:#333;background:#fff}"
        + "h1{font-size:1.25rem}code{color:#555}button{font:inherit;padding:.4rem 1rem}"
        + "@media(prefers-color-scheme:dark){body{color:#ddd;background:#1b1f24}code{color:#aaa}}");

    public async Task WriteAsync(HttpContext context, Rejection rejection, string language = Texts.Fallback)
    {
        await WriteAnswerAsync(context, rejection, language);
        await UnreadBody.DrainAsync(context);
    }

    private Task WriteAnswerAsync(HttpContext context, Rejection rejection, string language)
    {
        var (response, headers) = (context.Response, context.Response.Headers);
        response.StatusCode = rejection.Status;
        headers.Vary = "Accept";
        if (rejection.RetryAfter is { } pause)
            headers.RetryAfter = Math.Ceiling(pause.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        if (rejection.Status == StatusCodes.Status401Unauthorized)
            headers.WWWAuthenticate = "Bearer";
        var title = texts.Get(language, "rejection." + rejection.Code);
        var detail = rejection.Detail ?? texts.Get(language, "detail." + rejection.Code);
        context.Features.Get<Decision>()?.Text = rejection.Explain(detail);
        if (Accepts.Html(context.Request))
        {
            headers.CacheControl = "no-store";
            headers.ContentSecurityPolicy = MayRetry(rejection) ? RetryPolicy : PagePolicy;
            return Page(rejection, title, detail, language).ExecuteAsync(context);
        }

        var problem = new ProblemDocument(
            "about:blank", title, rejection.Status, detail, rejection.Code, rejection.Bitrix24Code, rejection.Errors);
        var json = JsonSerializer.SerializeToUtf8Bytes(problem, Readable.ProblemDocument);
        return response.WriteJsonAsync(json, MediaTypeNames.Application.ProblemJson);
    }

    private static bool MayRetry(Rejection rejection) => rejection.Status == StatusCodes.Status503ServiceUnavailable;

    private Markup Page(Rejection rejection, string title, string detail, string language) => Html.Of(
        $$"""
        <!DOCTYPE html>
        <html lang="{{Texts.HtmlLanguage(language)}}">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>{{title}}</title>
        <style>{{Style}}</style>
        </head>
        <body>
        <main>
        <h1>{{title}}</h1>
        <p>{{detail}}</p>
        {{Fields(rejection)}}
        <p><code>{{rejection.Status}} {{rejection.Code}}{{(rejection.Bitrix24Code is null ? "" : " " + rejection.Bitrix24Code)}}</code></p>
        {{(MayRetry(rejection) ? Button(texts.Get(language, "install.retry")) : default)}}
        </main>
        </body>
        </html>

        """);

    private static Markup Fields(Rejection rejection) => rejection.Errors is not { Count: > 0 } errors ? default
        : Html.Of($"<ul>{Html.Join(errors.Select(e => Html.Of($"<li><code>{e.Key}</code> {e.Value}</li>")))}</ul>");

    private static Markup Button(string label) =>
        Html.Of($"<p><button type=\"button\" id=\"retry\">{label}</button></p><script>{new Markup(RetryScript)}</script>");
}

internal sealed record ProblemDocument(
    string Type, string Title, int Status, string Detail, string Code, string? Bitrix24Code, IReadOnlyDictionary<string, string>? Errors);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ProblemDocument))]
internal sealed partial class ProblemJson : JsonSerializerContext;
