using System.Net.Mime;

namespace Bitrix24Placements.Refusals;

internal static class Accepts
{
    public static bool Html(HttpRequest request) => Names(request, MediaTypeNames.Text.Html);

    /// <summary><c>*/*</c> is neither.</summary>
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
