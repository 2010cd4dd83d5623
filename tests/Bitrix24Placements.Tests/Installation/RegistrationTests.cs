using System.Text.Json;
using System.Text.Json.Nodes;
using Bitrix24Placements.Installation;

namespace Bitrix24Placements.Tests.Installation;

/// <summary>What a portal tells of its placements stays in memory while it is called, and it may be anybody's portal.</summary>
public sealed class RegistrationTests
{
    [Fact]
    public void Names_without_number_are_not_kept()
    {
        var names = string.Concat(Enumerable.Range(0, 4_000).Select(static i => $"\"{i}\":{{\"TITLE\":\"\"}},"));
        var read = Read("""[{"placement":"REST_APP_URI","handler":"https://a.b/","langAll":{NAMES"\ud800":0,"en":{"TITLE":"x"}}}]""".Replace("NAMES", names, StringComparison.Ordinal));
        Assert.InRange(Assert.Single(read).Titles.Count, 1, 64);
    }

    [Theory]
    [InlineData(2_000, 100, 16)]
    [InlineData(3_000, 20, 0)]
    [InlineData(10, 1_000, 500)]
    public void Addresses_are_kept_to_a_length_and_in_all(int length, int count, int kept)
    {
        var entry = $$"""{"placement":"REST_APP_URI","handler":"{{new string('h', length)}}"}""";
        Assert.Equal(kept, Read($"[{string.Join(',', Enumerable.Repeat(entry, count))}]").Count);
    }

    [Fact]
    public void A_long_title_is_known_again()
    {
        var title = new string('t', 1_000);
        var languages = new JsonObject { ["en"] = new JsonObject { ["TITLE"] = title } };
        var read = Assert.Single(Read("""[{"placement":"REST_APP_URI","handler":"","langAll":{"en":{"TITLE":"TEXT"}}}]""".Replace("TEXT", title, StringComparison.Ordinal)));
        Assert.True(read.IsCalled(languages));
        languages["en"]!["TITLE"] = "another";
        Assert.False(read.IsCalled(languages));
        Assert.True(read.IsCalled(new JsonObject { ["ru"] = new JsonObject { ["TITLE"] = "not told" } }));
    }

    private static List<Registration> Read(string answer)
    {
        using var json = JsonDocument.Parse(answer);
        return Registration.ReadAll(json.RootElement);
    }
}
