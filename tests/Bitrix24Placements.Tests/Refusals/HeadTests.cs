using System.Net;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Refusals;

/// <summary>The Market asks with HEAD whether there is anything at an address.</summary>
public sealed class HeadTests(SharedInstalledService shared)
{
    [Theory]
    [InlineData("/", 200)]
    [InlineData("/install", 200)]
    [InlineData("/events", 200)]
    [InlineData("/placements", 200)]
    [InlineData("/placements/rest-app-uri", 200)]
    [InlineData("/placements/page-background-worker", 200)]
    [InlineData("/placements/page-background-worker/removed/0123456789", 200)]
    [InlineData("/health/ready", 200)]
    [InlineData("/nowhere", 404)]
    [InlineData("/api/signals", 405)]
    public async Task Registered_addresses_answer_and_nothing_else_happens(string path, int status)
    {
        using var request = new HttpRequestMessage(HttpMethod.Head, path);
        using var answer = await shared.Service.Http.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal((HttpStatusCode)status, answer.StatusCode);
    }
}
