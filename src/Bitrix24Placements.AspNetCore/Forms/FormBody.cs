using Bitrix24Placements.Refusals;

namespace Bitrix24Placements.Forms;

/// <summary>Reads a form of bounded size from a request, without a copy of the framework's own.</summary>
internal static class FormBody
{
    /// <summary>The form, or why there is none. The caller disposes it.</summary>
    public static ValueTask<Checked<WireForm>> ReadAsync(HttpContext context) =>
        IsForm(context.Request)
            ? BoundedBody.ReadAsync(context, static (c, body) => WireForm.Parse(c.Request.QueryString.Value, body))
            : new(Rejection.NotAForm);

    private static bool IsForm(HttpRequest request)
    {
        var type = request.ContentType.AsSpan();
        var end = type.IndexOf(';');
        var parameters = end < 0 ? default : type[(end + 1)..];
        var media = (end < 0 ? type : type[..end]).Trim();
        return media.Equals("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase)
            && (!parameters.Contains("charset", StringComparison.OrdinalIgnoreCase)
                || parameters.Contains("utf-8", StringComparison.OrdinalIgnoreCase))
            && request.Headers.ContentEncoding.Count == 0;
    }
}
