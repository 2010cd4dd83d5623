using System.Buffers;

namespace Bitrix24Placements.Pages;

/// <summary>In memory whole, so that their length is told.</summary>
internal static class WholeAnswers
{
    public static async Task WriteBytesAsync(this HttpResponse response, string contentType, byte[] body)
    {
        response.ContentType = contentType;
        response.ContentLength = body.Length;
        await response.BodyWriter.WriteAsync(body, response.HttpContext.RequestAborted);
    }

    /// <summary>For this caller alone, with a newline for whoever reads it in a shell.</summary>
    public static async Task WriteJsonAsync(this HttpResponse response, byte[] json)
    {
        response.Headers.CacheControl = "no-store";
        response.ContentType = "application/json";
        response.ContentLength = json.Length + 1;
        response.BodyWriter.Write(json);
        response.BodyWriter.Write("\n"u8);
        await response.BodyWriter.FlushAsync(response.HttpContext.RequestAborted);
    }
}
