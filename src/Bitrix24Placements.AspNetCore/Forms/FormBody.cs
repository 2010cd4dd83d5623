using Bitrix24Placements.Refusals;
using Microsoft.Net.Http.Headers;

namespace Bitrix24Placements.Forms;

internal static class FormBody
{
    private const string MediaType = "application/x-www-form-urlencoded";

    public static readonly Rejection TooManyFields = Rejection.Malformed($"There are more than {WireForm.MaxFields} fields.");

    /// <summary>The caller disposes it.</summary>
    public static async ValueTask<Checked<WireForm>> ReadAsync(HttpContext context)
    {
        if (!IsForm(context.Request))
            return Rejection.NotAForm;
        var form = await BoundedBody.ReadAsync(context, (c, body) => WireForm.Parse(c.Request.QueryString.Value, body));
        if (form.Value is not { HasTooManyFields: true })
            return form;
        form.Value.Dispose();
        return TooManyFields;
    }

    private static bool IsForm(HttpRequest request) =>
        (request.ContentType == MediaType || IsFormInOtherWords(request.ContentType)) && request.Headers.ContentEncoding.Count == 0;

    private static bool IsFormInOtherWords(string? contentType) =>
        MediaTypeHeaderValue.TryParse(contentType, out var type)
        && type.MediaType.Equals(MediaType, StringComparison.OrdinalIgnoreCase)
        && (type.Charset.Length == 0 || HeaderUtilities.RemoveQuotes(type.Charset).Equals("utf-8", StringComparison.OrdinalIgnoreCase));
}
