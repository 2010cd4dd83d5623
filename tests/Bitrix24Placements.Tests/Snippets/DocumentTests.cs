using System.Reflection;
using System.Text.RegularExpressions;
using Bitrix24Placements.Hosting;
using Microsoft.Extensions.Logging;

namespace Bitrix24Placements.Tests.Snippets;

/// <summary>What the documents say of the code is so. They, and the files whose code they show, are embedded in this assembly.</summary>
public sealed partial class DocumentTests
{
    /// <summary>Of the framework, or of a command rather than the log.</summary>
    private static readonly string[] LinesOfOthers = ["The database has schema version"];

    public static TheoryData<string> Documents => [.. Names("documents/").Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Documents))]
    public void Show_only_code_that_is_compiled(string document)
    {
        var compiled = Names("snippets/").Select(static n => Lines(Read(n))).ToArray();

        var missing = Blocks(document, "csharp").SelectMany(static b => b.Split("\n\n")).Select(Lines).Where(p => !compiled.Any(c => c.Contains(p, StringComparison.Ordinal)));

        Assert.Empty(missing);
    }

    [Fact]
    public void Show_the_same_in_Russian() => Assert.Equal(Blocks("documents/README.md", ""), Blocks("documents/README.ru.md", ""));

    [Fact]
    public void Link_only_to_what_is_there()
    {
        var there = Names("documents/").Select(static n => n["documents/".Length..]).ToHashSet();
        var broken = Names("documents/").SelectMany(static n => Links().Matches(Read(n)).Select(m => (From: n["documents/".Length..], To: m.Groups[1].Value, Anchor: m.Groups[2].Value)))
            .Where(l => Resolve(l.From, l.To) is var to && (!there.Contains(to) || (l.Anchor.Length > 0 && !Anchors(to).Contains(l.Anchor))));

        Assert.Empty(broken);
    }

    /// <summary>Claims of security are shown by tests.</summary>
    [Fact]
    public void Name_only_tests_that_are_there()
    {
        var own = typeof(DocumentTests).Assembly.GetTypes().Where(static t => t.Name.EndsWith("Tests", StringComparison.Ordinal))
            .SelectMany(static t => t.GetMethods().Select(m => $"{t.Name}.{m.Name}").Append(t.Name));
        var browser = Names("browser/").SelectMany(static n => TestMethods().Matches(Read(n)).Select(m => $"{TypeOf(n)}.{m.Groups[1].Value}").Append(TypeOf(n)));
        HashSet<string> there = [.. own, .. browser];

        var named = TestNames().Matches(Read("documents/docs/security.md")).Select(static m => m.Groups[1].Value).ToHashSet();

        Assert.NotEmpty(named);
        Assert.Empty(named.Where(n => !there.Contains(n)));

        static string TypeOf(string name) => Path.GetFileNameWithoutExtension(name["browser/".Length..]);
    }

    /// <summary>An operator looks for the line that he sees.</summary>
    [Fact]
    public void Quote_only_lines_that_the_log_can_have()
    {
        var known = new[] { typeof(PortalId).Assembly, typeof(ServiceRun).Assembly }
            .SelectMany(static a => a.GetTypes())
            .SelectMany(static t => t.GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance))
            .Select(static m => m.GetCustomAttribute<LoggerMessageAttribute>()?.Message)
            .OfType<string>().Where(static m => Hole().Replace(m, "").Trim().Length > 0)
            .Select(static m => new Regex("^" + string.Join(".+", Hole().Split(m).Select(Regex.Escape)) + "$")).ToArray();

        var quoted = QuotedLines().Matches(Read("documents/docs/operations.md")).Select(static m => m.Groups[1].Value)
            .Where(static q => !LinesOfOthers.Any(o => q.StartsWith(o, StringComparison.Ordinal))).ToArray();

        Assert.NotEmpty(quoted);
        Assert.Empty(quoted.Where(q => !known.Any(k => k.IsMatch(q))));
    }

    private static IEnumerable<string> Names(string prefix) =>
        typeof(DocumentTests).Assembly.GetManifestResourceNames().Select(static n => n.Replace('\\', '/')).Where(n => n.StartsWith(prefix, StringComparison.Ordinal));

    private static string Read(string name)
    {
        using var reader = new StreamReader(typeof(DocumentTests).Assembly.GetManifestResourceStream(name) ?? throw new InvalidOperationException($"{name} is not embedded."));
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }

    private static IEnumerable<string> Blocks(string document, string language) =>
        Fences().Matches(Read(document)).Where(m => m.Groups[1].Value.StartsWith(language, StringComparison.Ordinal)).Select(static m => m.Groups[2].Value);

    /// <summary>Without what stands before and after each, as a method's body is indented.</summary>
    private static string Lines(string text) => "\n" + string.Join('\n', text.Trim('\n').Split('\n').Select(static l => l.Trim())) + "\n";

    private static string Resolve(string from, string to) =>
        to.Length == 0 ? from : Path.GetRelativePath("/", Path.GetFullPath(Path.Combine("/", Path.GetDirectoryName(from) ?? "", to))).Replace('\\', '/');

    private static HashSet<string> Anchors(string document) =>
        [.. Headings().Matches(Read("documents/" + document)).Select(static m => NotInAnchors().Replace(m.Groups[1].Value.ToLowerInvariant(), "").Replace(' ', '-'))];

    [GeneratedRegex("^```(\\w*)\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fences();

    [GeneratedRegex(@"\]\((?!https?:)([^)#\s]*?(?:\.md)?)(?:#([^)\s]+))?\)(?<=\.md\)|#[^)\s]+\))")]
    private static partial Regex Links();

    [GeneratedRegex("^#+ (.+)$", RegexOptions.Multiline)]
    private static partial Regex Headings();

    [GeneratedRegex(@"[^\p{L}\p{N} _-]")]
    private static partial Regex NotInAnchors();

    [GeneratedRegex(@"`(\w+Tests(?:\.\w+)?)`")]
    private static partial Regex TestNames();

    [GeneratedRegex(@"public async Task (\w+)\(|public void (\w+)\(")]
    private static partial Regex TestMethods();

    [GeneratedRegex("^> `(.+?)`(?:<br>)?$", RegexOptions.Multiline)]
    private static partial Regex QuotedLines();

    [GeneratedRegex(@"\{[^}]+\}")]
    private static partial Regex Hole();
}
