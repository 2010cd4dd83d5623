using System.Buffers;
using System.Net.Mime;

namespace Bitrix24Placements.Pages;

/// <summary>In memory whole, so that their length is told.</summary>
internal static class WholeAnswers
{
    public static Task WriteBytesAsync(this HttpResponse response, string contentType, byte[] body)
    {
        response.ContentType = contentType;
        response.ContentLength = body.Length;
        // Copied: while a reader is waited for, nothing else holds it.
        response.BodyWriter.Write(body);
        return response.BodyWriter.FlushAsync(response.HttpContext.RequestAborted).AsTask();
    }

    /// <summary>For this caller alone, with a newline for a shell.</summary>
    public static Task WriteJsonAsync(this HttpResponse response, byte[] json, string contentType = MediaTypeNames.Application.Json)
    {
        response.Headers.CacheControl = "no-store";
        return response.WriteBytesAsync(contentType, [.. json, (byte)'\n']);
    }
}
