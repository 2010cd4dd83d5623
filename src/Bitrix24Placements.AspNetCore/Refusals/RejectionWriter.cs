using System.Buffers;
using System.Globalization;
using System.Net.Mime;
using System.Text;
using System.Text.Json;
using Bitrix24Placements.Pages;
using Microsoft.Net.Http.Headers;

namespace Bitrix24Placements.Refusals;

/// <summary>The one place where a refusal becomes an answer: problem+json (RFC 9457), or a small page for those who ask for HTML.</summary>
internal sealed class RejectionWriter(Texts texts)
{
    /// <summary>Holds nothing and may be framed by anybody: it also has to be seen in portals that are not served.</summary>
    private const string PagePolicy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

    /// <summary>The answer is never taken for HTML, so apostrophes may stay.</summary>
    private static readonly JsonWriterOptions Readable = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly Markup Style = new(
        "body{font:15px/1.5 system-ui,sans-serif;margin:2rem;max-width:40rem;color:#333;background:#fff}h1{font-size:1.25rem}code{color:#555}"
        + "@media(prefers-color-scheme:dark){body{color:#ddd;background:#1b1f24}code{color:#aaa}}");

    public Task WriteAsync(HttpContext context, Rejection rejection, string language = Texts.Fallback)
    {
        var response = context.Response;
        response.StatusCode = rejection.Status;
        response.Headers.CacheControl = "no-store";
        response.Headers.Vary = "Accept";
        if (rejection.RetryAfter is { } pause)
            response.Headers.RetryAfter = Math.Ceiling(pause.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        if (rejection.Status == StatusCodes.Status401Unauthorized)
            response.Headers.WWWAuthenticate = "Bearer";
        var title = texts.Get(language, "rejection." + rejection.Code);
        return Accepts.Html(context.Request) ? WritePageAsync(context, rejection, title, language) : WriteProblemAsync(context, rejection, title);
    }

    private static async Task WriteProblemAsync(HttpContext context, Rejection rejection, string title)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer, Readable))
        {
            json.WriteStartObject();
            json.WriteString("type", "about:blank");
            json.WriteString("title", title);
            json.WriteNumber("status", rejection.Status);
            json.WriteString("detail", rejection.Detail);
            json.WriteString("code", rejection.Code);
            if (rejection.Bitrix24Code is not null)
                json.WriteString("bitrix24Code", rejection.Bitrix24Code);
            if (rejection.Errors is not null)
            {
                json.WriteStartObject("errors");
                foreach (var (field, message) in rejection.Errors)
                    json.WriteString(field, message);
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        context.Response.ContentType = MediaTypeNames.Application.ProblemJson;
        context.Response.ContentLength = buffer.WrittenCount;
        await context.Response.BodyWriter.WriteAsync(buffer.WrittenMemory, context.RequestAborted);
    }

    private static async Task WritePageAsync(HttpContext context, Rejection rejection, string title, string language)
    {
        var fields = rejection.Errors is not { Count: > 0 } ? default : Html.Of($"<ul>{Html.Join(rejection.Errors.Select(static e => Html.Of($"<li><code>{e.Key}</code> {e.Value}</li>")))}</ul>");
        var page = Html.Of(
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
            <p>{{rejection.Detail}}</p>
            {{fields}}
            <p><code>{{rejection.Status}} {{rejection.Code}}{{(rejection.Bitrix24Code is null ? "" : " " + rejection.Bitrix24Code)}}</code></p>
            </main>
            </body>
            </html>

            """);
        var bytes = Encoding.UTF8.GetBytes(page.Value);
        context.Response.ContentType = "text/html; charset=utf-8";
        context.Response.ContentLength = bytes.Length;
        context.Response.Headers[HeaderNames.ContentSecurityPolicy] = PagePolicy;
        await context.Response.BodyWriter.WriteAsync(bytes, context.RequestAborted);
    }
}

/// <summary>What a client asks for.</summary>
internal static class Accepts
{
    public static bool Html(HttpRequest request) => Names(request, MediaTypeNames.Text.Html);

    /// <summary>JSON is named and HTML is not; <c>*/*</c> is neither.</summary>
    public static bool JsonOnly(HttpRequest request) =>
        request.Headers.Accept.Count > 0 && Names(request, MediaTypeNames.Application.Json) && !Html(request);

    private static bool Names(HttpRequest request, string mediaType)
    {
        foreach (var line in request.Headers.Accept)
        {
            // A media type whose name begins with another's is not that one: application/json-seq.
            foreach (var entry in line.AsSpan().Split(','))
            {
                var media = line.AsSpan()[entry];
                var parameters = media.IndexOf(';');
                if ((parameters < 0 ? media : media[..parameters]).Trim().Equals(mediaType, StringComparison.OrdinalIgnoreCase))
                    return true;
            }
        }

        return false;
    }
}
