using System.Net.Mime;

namespace Bitrix24Placements.Refusals;

internal static class Accepts
{
    public static bool Html(HttpRequest request) => Names(request, MediaTypeNames.Text.Html);

    /// <summary><c>*/*</c> is neither.</summary>
    public static bool JsonOnly(HttpRequest request) => Names(request, MediaTypeNames.Application.Json) && !Html(request);

    private static bool Names(HttpRequest request, string mediaType) =>
        // Mostly it is not in there, and nothing has to be parsed.
        request.Headers.Accept.ToString().Contains(mediaType, StringComparison.OrdinalIgnoreCase)
        && request.GetTypedHeaders().Accept.Any(a => a.MediaType.Equals(mediaType, StringComparison.OrdinalIgnoreCase));
}
