namespace Bitrix24Placements.Tests.Snippets;

/// <summary>Files of this repository that the tests look at: <c>documents/</c>, <c>snippets/</c>, <c>browser/</c>.</summary>
internal static class Embedded
{
    public static IEnumerable<string> Names(string folder) =>
        typeof(Embedded).Assembly.GetManifestResourceNames().Where(n => n.StartsWith(folder, StringComparison.Ordinal));

    public static string Read(string name)
    {
        using var file = typeof(Embedded).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"{name} is not embedded.");
        using var reader = new StreamReader(file);
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }
}
