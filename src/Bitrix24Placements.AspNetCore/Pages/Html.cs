using System.Runtime.CompilerServices;
using System.Text.Encodings.Web;
using Bitrix24Placements.Pages;

namespace Bitrix24Placements;

/// <summary>Markup that needs no encoding any more; what a handler returns as its page.</summary>
public readonly record struct Markup(string Value) : IResult
{
    internal const string ContentType = "text/html; charset=utf-8";

    public override string ToString() => Value;

    /// <summary>Writes it as a page.</summary>
    public Task ExecuteAsync(HttpContext httpContext) => httpContext.Response.WriteBytesAsync(ContentType, Encoding.UTF8.GetBytes(Value));
}

/// <summary>HTML from interpolated strings in which every hole is encoded, unless it is <see cref="Markup"/>.</summary>
public static class Html
{
    /// <summary>E.g. <c>Html.Of($"&lt;p&gt;{whatever a user wrote}&lt;/p&gt;")</c>. Holes stand in text or in quoted attributes, never in
    /// scripts, in styles or in addresses that a user has chosen.</summary>
    public static Markup Of(HtmlInterpolation html) => html.ToMarkup();

    public static Markup Join(IEnumerable<Markup> parts) => new(string.Concat(parts));
}

[InterpolatedStringHandler]
public readonly ref struct HtmlInterpolation(int literalLength, int formattedCount)
{
    private readonly StringBuilder _html = new(literalLength + (32 * formattedCount));

    public void AppendLiteral(string literal) => _html.Append(literal);

    public void AppendFormatted(Markup markup) => _html.Append(markup.Value);

    public void AppendFormatted<T>(T value)
    {
        if (Convert.ToString(value, CultureInfo.InvariantCulture) is { } text)
            _html.Append(HtmlEncoder.Default.Encode(text));
    }

    internal Markup ToMarkup() => new(_html.ToString());
}
