using System.Runtime.InteropServices;
using System.Text.Encodings.Web;

namespace Bitrix24Placements.Placements;

internal static class ParameterTable
{
    private const int MaxRows = 100;

    private const int MaxLength = 1_000;

    private const int MaxCharacters = 16 * 1024;

    /// <summary>So many characters are not longer, escaped.</summary>
    private const int MaxBytes = 6 * MaxLength;

    public static Markup Render(IReadOnlyDictionary<string, JsonElement> parameters, Func<string, string> t)
    {
        var left = MaxCharacters;
        var rows = parameters.Take(MaxRows).Select(p => (Name: Shown(p.Key), Value: Shown(Text(p.Value))))
            .TakeWhile(row => (left -= row.Name.Length + row.Value.Length) >= 0)
            .Select(row => Html.Of($"""<tr><th scope="row">{row.Name}</th><td>{row.Value}</td></tr>"""));
        return Html.Of(
            $"""
            <p>{t("link.intro")}</p>
            <div class="scroll" id="parameters" tabindex="0" role="region" aria-label="{t("link.parameter")}">
            <table>
            <thead><tr><th scope="col">{t("link.parameter")}</th><th scope="col">{t("link.value")}</th></tr></thead>
            <tbody>{Html.Join(rows)}</tbody>
            </table>
            </div>
            """);
    }

    public static string Shown(string text) => text.Length <= MaxLength ? text : text[..MaxLength] + "…";

    private static string Text(JsonElement value)
    {
        var sent = JsonMarshal.GetRawUtf8Value(value);
        if (sent.Length > MaxBytes)
            return Encoding.UTF8.GetString(sent[..MaxBytes]);
        // PHP writes \u041C for М. What is shown is encoded for HTML afterwards.
        return value.ValueKind == JsonValueKind.String ? value.GetString()! : JsonSerializer.Serialize(value, Readable.JsonElement);
    }

    private static readonly ContextJson Readable =
        new(new(ContextJson.Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
