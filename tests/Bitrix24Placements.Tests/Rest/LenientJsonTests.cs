using System.Text.Json;
using Bitrix24Placements.Rest;

namespace Bitrix24Placements.Tests.Rest;

/// <summary>A portal's answer is what its administrator likes.</summary>
public sealed class LenientJsonTests
{
    [Fact]
    public void Of_a_long_list_so_much_is_read()
    {
        using var list = JsonDocument.Parse("[" + string.Join(',', Enumerable.Repeat('"' + new string('x', 2000) + '"', 490)) + "]");
        using var none = JsonDocument.Parse("{}");

        Assert.InRange(list.RootElement.Entries().Count(), 40, 50);
        Assert.Empty(none.RootElement.Entries());
    }

    [Fact]
    public void A_text_that_is_none_is_no_text()
    {
        using var half = JsonDocument.Parse("""{"a":"\ud800"}""");
        using var bytes = JsonDocument.Parse((byte[])[.. "{\"a\":\""u8, 0xff, .. "\"}"u8]);

        Assert.All(new[] { half, bytes }, static d => Assert.Null(d.RootElement.Text("a")));
    }

    [Fact]
    public void A_name_that_is_none_is_nobodys()
    {
        using var half = JsonDocument.Parse("""{"\ud800aaaaaaaaaaaaaaaaaaaaaaaa":1}""");

        Assert.Equal(JsonValueKind.Undefined, half.RootElement.Member("b").ValueKind);
        Assert.Null(half.RootElement.Text("result"));
    }
}
