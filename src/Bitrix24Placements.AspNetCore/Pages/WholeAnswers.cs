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
    public static Task WriteJsonAsync(this HttpResponse response, byte[] json)
    {
        response.Headers.CacheControl = "no-store";
        return response.WriteBytesAsync("application/json", [.. json, (byte)'\n']);
    }
}
