using System.Reflection;
using System.Text.RegularExpressions;
using Bitrix24Placements.Hosting;
using Microsoft.Extensions.Logging;

namespace Bitrix24Placements.Tests.Snippets;

/// <summary>What the documents say of the code is so. They, and the files whose code they show, are embedded in this assembly.</summary>
public sealed partial class DocumentTests
{
    private const BindingFlags Any = BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;

    public static TheoryData<string> Documents => [.. Embedded.Names("documents/").Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Documents))]
    public void Show_only_code_that_is_compiled(string document)
    {
        var compiled = Embedded.Names("snippets/").Select(static n => Lines(Embedded.Read(n))).ToArray();

        var missing = Blocks(document, "csharp").SelectMany(static b => b.Split("\n\n")).Select(Lines)
            .Where(p => !compiled.Any(c => c.Contains(p, StringComparison.Ordinal)));

        Assert.Empty(missing);
    }

    [Fact]
    public void Show_the_same_in_Russian() => Assert.Equal(Blocks("documents/README.md", ""), Blocks("documents/README.ru.md", ""));

    [Fact]
    public void Link_only_to_what_is_there()
    {
        var there = Embedded.Names("documents/").Select(static n => n["documents/".Length..]).ToDictionary(static d => d, Anchors);

        var broken = from document in there.Keys
                     from link in Links().Matches(Embedded.Read("documents/" + document))
                     let to = Resolve(document, link.Groups[1].Value)
                     let anchor = link.Groups[2].Value
                     where !there.TryGetValue(to, out var anchors) || (anchor.Length > 0 && !anchors.Contains(anchor))
                     select $"{document}: {link.Value}";

        Assert.Empty(broken);
    }

    /// <summary>Claims of security are shown by tests.</summary>
    [Fact]
    public void Name_only_tests_that_are_there()
    {
        var own = from type in typeof(DocumentTests).Assembly.GetTypes()
                  where type.Name.EndsWith("Tests", StringComparison.Ordinal)
                  from name in type.GetMethods().Select(m => $"{type.Name}.{m.Name}").Append(type.Name)
                  select name;
        var browser = from file in Embedded.Names("browser/")
                      let type = Path.GetFileNameWithoutExtension(file)
                      from name in TestMethods().Matches(Embedded.Read(file)).Select(m => $"{type}.{m.Groups[1].Value}").Append(type)
                      select name;

        var named = TestNames().Matches(Embedded.Read("documents/docs/security.md")).Select(static m => m.Groups[1].Value).ToArray();

        Assert.NotEmpty(named);
        Assert.Empty(named.Except(own).Except(browser));
    }

    /// <summary>An operator looks for the line that he sees.</summary>
    [Fact]
    public void Quote_only_lines_that_are_written()
    {
        var known = from assembly in new[] { typeof(PortalId).Assembly, typeof(ServiceRun).Assembly }
                    from type in assembly.GetTypes()
                    from method in type.GetMethods(Any)
                    let message = method.GetCustomAttribute<LoggerMessageAttribute>()?.Message
                    where message is not null && Hole().Replace(message, "").Trim().Length > 0
                    select new Regex("^" + string.Join(".+", Hole().Split(message).Select(Regex.Escape)) + "$");
        // An exception's message, which stands alone in its line.
        Regex[] written = [.. known, new("^The database has schema version .+: run the newer version\\.$")];

        var quoted = QuotedLines().Matches(Embedded.Read("documents/docs/operations.md")).Select(static m => m.Groups[1].Value).ToArray();

        Assert.NotEmpty(quoted);
        Assert.DoesNotContain(quoted, q => !written.Any(w => w.IsMatch(q)));
    }

    private static IEnumerable<string> Blocks(string document, string language) =>
        Fences().Matches(Embedded.Read(document)).Where(m => m.Groups[1].Value.StartsWith(language, StringComparison.Ordinal))
            .Select(static m => m.Groups[2].Value);

    /// <summary>Without indentation: a method's body has more of it than a document.</summary>
    private static string Lines(string text) => "\n" + string.Join('\n', text.Trim('\n').Split('\n').Select(static l => l.Trim())) + "\n";

    private static string Resolve(string from, string to)
    {
        if (to.Length == 0)
            return from;
        var path = Path.GetFullPath(Path.Combine("/", Path.GetDirectoryName(from) ?? "", to));
        return Path.GetRelativePath("/", path).Replace('\\', '/');
    }

    private static HashSet<string> Anchors(string document) =>
    [
        .. Headings().Matches(Embedded.Read("documents/" + document))
            .Select(static m => NotInAnchors().Replace(m.Groups[1].Value.ToLowerInvariant(), "").Replace(' ', '-')),
    ];

    [GeneratedRegex("^```(\\w*)\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fences();

    /// <summary>To documents, and to headings of the same one.</summary>
    [GeneratedRegex(@"\]\((?!https?:)((?:[^)#\s]+\.md)?)(?:#([^)\s]+))?\)")]
    private static partial Regex Links();

    [GeneratedRegex("^#+ (.+)$", RegexOptions.Multiline)]
    private static partial Regex Headings();

    [GeneratedRegex(@"[^\p{L}\p{N} _-]")]
    private static partial Regex NotInAnchors();

    [GeneratedRegex(@"`(\w+Tests(?:\.\w+)?)`")]
    private static partial Regex TestNames();

    [GeneratedRegex(@"public (?:async Task|void) (\w+)\(")]
    private static partial Regex TestMethods();

    [GeneratedRegex("^> `(.+?)`(?:<br>)?$", RegexOptions.Multiline)]
    private static partial Regex QuotedLines();

    [GeneratedRegex(@"\{[^}]+\}")]
    private static partial Regex Hole();
}
