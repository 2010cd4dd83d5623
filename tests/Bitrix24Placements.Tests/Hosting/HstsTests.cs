using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Hosting;

/// <summary>Browsers are told to come by https alone, where they came by https.</summary>
public sealed class HstsTests
{
    [Theory]
    [InlineData("/health/live", "https", null, "max-age=31536000")]
    [InlineData("/nowhere", "https", null, "max-age=31536000")]
    [InlineData("/", "https", null, "max-age=31536000")]
    [InlineData("/health/live", "http", null, null)]
    [InlineData("/health/live", "https", "false", null)]
    public async Task Every_answer_over_https_says_so(string path, string scheme, string? enabled, string? expected)
    {
        await using var service = await Service.StartAsync(new() { ["Hsts:Enabled"] = enabled });
        using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { { "X-Forwarded-Proto", scheme } } };
        using var answer = await service.Http.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(expected, answer.Headers.TryGetValues("Strict-Transport-Security", out var values) ? values.Single() : null);
    }
}
