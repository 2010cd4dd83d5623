using System.Text.RegularExpressions;

namespace Bitrix24Placements.Tests;

/// <summary>The plan of the house, as docs/architecture.md has it: rooms use each other along one-way arrows, and none is too large to be read.</summary>
public sealed partial class ArchitectureTests
{
    private static readonly string[] ToRest = ["Settings", "Inspector", "Storage", "Apps", "Portals", "Work"];
    private static readonly string[] ToRefusals = [.. ToRest, "Rest", "Pages", "Refusals", "Forms"];

    private static readonly Dictionary<string, string[]> Uses = new()
    {
        ["Settings"] = [],
        ["Inspector"] = [],
        ["Storage"] = ["Settings"],
        ["Apps"] = ["Settings", "Storage"],
        ["Portals"] = ["Settings", "Storage", "Apps"],
        ["Work"] = ["Storage", "Apps", "Portals"],
        ["Rest"] = ToRest,
        ["Pages"] = ["Settings", "Rest"],
        ["Refusals"] = ["Settings", "Inspector", "Pages"],
        ["Forms"] = ["Refusals"],
        ["Placements"] = ToRefusals,
        ["Events"] = ToRefusals,
        ["Installation"] = [.. ToRefusals, "Placements", "Events"],
        ["Signals"] = [.. ToRefusals, "Placements", "Events"],
        ["Health"] = [.. ToRefusals, "Placements", "Events"],
        ["Doctor"] = [.. ToRefusals, "Placements", "Events", "Installation"],
    };

    internal static readonly string Clone = Root(new DirectoryInfo(AppContext.BaseDirectory));

    private static readonly string Source = Path.Combine(Clone, "src");

    private static readonly string Library = Path.Combine(Source, "Bitrix24Placements.AspNetCore");

    [Fact]
    public void Rooms_use_each_other_along_the_arrows_alone()
    {
        var files = FilesIn(Library).Where(static f => RoomOf(f) is not null).Select(static f => (Path: f, Room: RoomOf(f)!, Code: NoCode().Replace(File.ReadAllText(f), ""))).ToList();
        Assert.Empty(files.Select(static f => f.Room).Distinct().Except(Uses.Keys));
        // Other types cannot be mentioned without a using line of their room's namespace.
        var rooms = files.Where(static f => f.Code.Contains("namespace Bitrix24Placements;", StringComparison.Ordinal))
            .SelectMany(static f => Declaration().Matches(f.Code).Select(m => (Type: m.Groups[1].Value, f.Room))).Distinct().ToLookup(static t => t.Type, static t => t.Room);

        var wrong = from file in files
                    let named = Using().Matches(file.Code).Select(static m => (Name: m.Value, Rooms: (IEnumerable<string>)[m.Groups[1].Value]))
                    let members = Property().Matches(file.Code).Select(static m => m.Groups[1].Value)
                    let mentioned = Word().Matches(file.Code).Select(static m => m.Value).Except(members).Where(rooms.Contains).Select(w => (Name: w, Rooms: rooms[w]))
                    from use in named.Concat(mentioned)
                    where !use.Rooms.Any(r => r == file.Room || !Uses.ContainsKey(r) || Uses[file.Room].Contains(r))
                    select $"{Path.GetRelativePath(Source, file.Path)}: {use.Name} of {string.Join(", ", use.Rooms)}";
        AssertNone(wrong);
    }

    [Fact]
    public void No_file_folder_or_line_is_too_long()
    {
        var files = FilesIn(Source).ToList();
        AssertNone(files.Where(static f => File.ReadLines(f).Count() > 200));
        AssertNone(files.SelectMany(static f => File.ReadLines(f).Select((line, i) => (line, At: $"{f}:{i + 1}"))).Where(static l => l.line.Length > 140).Select(static l => l.At));
        AssertNone(files.GroupBy(static f => Path.GetDirectoryName(f)).Where(static folder => folder.Count() > 20).Select(static folder => folder.Key!));
    }

    [Fact]
    public void Every_code_of_a_refusal_has_its_title()
    {
        var titles = File.ReadAllText(Path.Combine(Library, "Pages", "Texts", "en.json"));
        var codes = FilesIn(Library).SelectMany(static f => RefusalCode().Matches(File.ReadAllText(f)).Select(static m => m.Groups[1].Value)).Distinct().ToList();
        Assert.Contains("appRequired", codes);
        AssertNone(codes.Where(c => !titles.Contains($"\"rejection.{c}\"", StringComparison.Ordinal)));
    }

    private static void AssertNone(IEnumerable<string> wrong) => Assert.True(!wrong.Any(), string.Join('\n', wrong));

    private static string? RoomOf(string file) => Path.GetRelativePath(Library, file).Split(Path.DirectorySeparatorChar) is [var room, _, ..] ? room : null;

    private static IEnumerable<string> FilesIn(string folder) =>
        Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories).Where(static f => !Built().IsMatch(f));

    /// <summary>Not by the path of this file: a build that is the same everywhere leaves that out.</summary>
    private static string Root(DirectoryInfo folder) =>
        File.Exists(Path.Combine(folder.FullName, "Bitrix24Placements.sln")) ? folder.FullName
        : Root(folder.Parent ?? throw new InvalidOperationException("The tests do not run inside a clone."));

    /// <summary>Comments and texts.</summary>
    [GeneratedRegex("""//[^\n]*|\"\"\"[\s\S]*?\"\"\"|"(?:\\.|[^"\\\n])*"(?!")""")]
    private static partial Regex NoCode();

    [GeneratedRegex(@"^(?:public |internal |file )(?:[\w ]+ )?(?:class|record|struct|enum|interface|delegate [\w<>?]+) (\w+)", RegexOptions.Multiline)]
    private static partial Regex Declaration();

    [GeneratedRegex(@"using Bitrix24Placements\.(\w+);")]
    private static partial Regex Using();

    /// <summary>A name by itself, and not that of a member or of a method that is called.</summary>
    [GeneratedRegex(@"(?<![.\w])[A-Z]\w*(?![\w(])|(?<=new )[A-Z]\w*")]
    private static partial Regex Word();

    [GeneratedRegex(@"(\w+) (?:\{ get|=>)")]
    private static partial Regex Property();

    [GeneratedRegex(@"[/\\](?:bin|obj)[/\\]")]
    private static partial Regex Built();

    [GeneratedRegex("""new(?: Rejection)?\((?:[1-5][0-9]{2}|[a-z]+(?:\.[A-Za-z]+)?), "([a-z][A-Za-z]+)"[,)]""")]
    private static partial Regex RefusalCode();
}
