using System.Text.RegularExpressions;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Snippets;

/// <summary>The first thing that anybody tries.</summary>
public sealed partial class ReadmeCurlTests(SharedUnverifiedService shared)
{
    [Fact]
    public async Task The_two_examples_are_answered_to_the_letter()
    {
        var examples = Example().Matches(Embedded.Read("documents/README.md"));
        Assert.Equal(2, examples.Count);
        foreach (Match example in examples)
        {
            var fields = Data().Matches(example.Groups[2].Value)
                .SelectMany(static m => m.Groups[1].Value == "-d" ? m.Groups[2].Value.Split('&') : [m.Groups[2].Value])
                .Select(static f => f.Split('=', 2)).ToDictionary(static f => f[0], static f => f[1]);

            using var answer = await shared.Service.PostAsync(example.Groups[1].Value, fields);

            var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            Assert.Equal(example.Groups[3].Value.Trim(), text.Trim());
        }
    }

    [GeneratedRegex(@"```bash\ncurl -s 'http://localhost:5000([^']+)' \\\n(.*?)```\n\n```json\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Example();

    [GeneratedRegex("(-d|--data-urlencode) '([^']+)'")]
    private static partial Regex Data();
}
