using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Encodings.Web;

namespace Bitrix24Placements;

/// <summary>Markup that needs no encoding any more.</summary>
public readonly record struct Markup(string Value)
{
    public override string ToString() => Value;
}

/// <summary>HTML from interpolated strings in which every hole is encoded, unless it is <see cref="Markup"/>.</summary>
public static class Html
{
    public static Markup Of(HtmlInterpolation html) => html.ToMarkup();

    public static Markup Join(IEnumerable<Markup> parts) => new(string.Concat(parts));

    public static Markup Encode(string text) => new(HtmlEncoder.Default.Encode(text));
}

[InterpolatedStringHandler]
public readonly ref struct HtmlInterpolation(int literalLength, int formattedCount)
{
    private readonly StringBuilder _html = new(literalLength + (32 * formattedCount));

    public void AppendLiteral(string literal) => _html.Append(literal);

    public void AppendFormatted(Markup markup) => _html.Append(markup.Value);

    public void AppendFormatted<T>(T value)
    {
        var text = value is IFormattable formattable ? formattable.ToString(null, System.Globalization.CultureInfo.InvariantCulture) : value?.ToString();
        if (text is not null)
            _html.Append(HtmlEncoder.Default.Encode(text));
    }

    internal Markup ToMarkup() => new(_html.ToString());
}
