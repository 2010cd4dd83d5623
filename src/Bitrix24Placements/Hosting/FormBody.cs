using Bitrix24Placements.Placements;

namespace Bitrix24Placements.Hosting;

/// <summary>Reads a form of bounded size from a request, without a copy of the framework's own.</summary>
internal static class FormBody
{
    public const int Largest = 64 * 1024;

    /// <summary>The form, or why there is none. The caller disposes it.</summary>
    public static async ValueTask<(WireForm? Form, Rejection? Rejection)> ReadAsync(HttpContext context)
    {
        var request = context.Request;
        if (!IsForm(request))
            return (null, Rejection.NotAForm);
        if (request.ContentLength > Largest)
            return (null, Rejection.TooLarge);
        var reader = request.BodyReader;
        try
        {
            while (true)
            {
                var result = await reader.ReadAsync(context.RequestAborted);
                if (result.Buffer.Length > Largest)
                {
                    reader.AdvanceTo(result.Buffer.End);
                    return (null, Rejection.TooLarge);
                }

                if (result.IsCompleted)
                {
                    var form = WireForm.Parse(request.QueryString.Value, result.Buffer);
                    reader.AdvanceTo(result.Buffer.End);
                    return (form, null);
                }

                reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
            }
        }
        catch (BadHttpRequestException e)
        {
            return (null, e.StatusCode == StatusCodes.Status413PayloadTooLarge ? Rejection.TooLarge : Rejection.Malformed("The body could not be read."));
        }
    }

    private static bool IsForm(HttpRequest request)
    {
        var type = request.ContentType.AsSpan();
        var end = type.IndexOf(';');
        var parameters = end < 0 ? default : type[(end + 1)..];
        var media = (end < 0 ? type : type[..end]).Trim();
        return media.Equals("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase)
            && (!parameters.Contains("charset", StringComparison.OrdinalIgnoreCase) || parameters.Contains("utf-8", StringComparison.OrdinalIgnoreCase))
            && request.Headers.ContentEncoding.Count == 0;
    }
}
