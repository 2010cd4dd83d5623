using Bitrix24Placements.Hosting;
using Bitrix24Placements.Tests.Harness;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Bitrix24Placements.Tests.Hosting;

/// <summary>What the process writes, with all that the framework adds to a line.</summary>
public sealed class LoggingTests
{
    [Fact]
    public async Task A_removal_key_does_not_come_into_the_log_with_the_path_of_its_request()
    {
        await using var service = await ServiceProcess.StartAsync(new() { ["ForwardedHeaders:KnownProxies:0"] = "192.0.2.1", ["Logging:LogLevel:Default"] = "Trace" });
        using var request = new HttpRequestMessage(HttpMethod.Post, "/placements/page-background-worker/removed/the-key-of-a-portal");
        request.Headers.Add("X-Forwarded-For", "192.0.2.7");
        (await service.Http.SendAsync(request, TestContext.Current.CancellationToken)).Dispose();

        service.Kill();
        var log = service.Output;

        // The line about the proxy is written while that request is served.
        Assert.Contains("X-Forwarded", log, StringComparison.Ordinal);
        Assert.DoesNotContain("the-key-of-a-portal", log, StringComparison.Ordinal);
        Assert.All(log.Split('\n', StringSplitOptions.RemoveEmptyEntries), static line => Assert.StartsWith("{", line, StringComparison.Ordinal));
    }

    /// <summary>Of a host without a word of its own.</summary>
    [Theory]
    [InlineData(null, false)]
    [InlineData("Information", true)]
    public async Task An_apps_own_host_writes_no_addresses_unless_it_is_told_to(string? told, bool isMade)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = "Production" });
        builder.Configuration["Logging:LogLevel:Microsoft.AspNetCore.Hosting.Diagnostics"] = told;
        builder.AddBitrix24Placements();
        await using var app = builder.Build();
        var logger = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Microsoft.AspNetCore.Hosting.Diagnostics");
        Assert.Equal(isMade, logger.IsEnabled(LogLevel.Information));
        Assert.True(logger.IsEnabled(LogLevel.Warning));
    }

    [Theory]
    [InlineData("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.Critical, false)]
    [InlineData("Microsoft.AspNetCore.Routing.EndpointMiddleware", LogLevel.Information, false)]
    [InlineData("Microsoft.AspNetCore.Server.Kestrel", LogLevel.Warning, true)]
    [InlineData("Bitrix24Placements.Installation", LogLevel.Information, true)]
    public async Task A_line_that_is_left_out_anyway_is_not_made_for_every_request(string category, LogLevel level, bool isMade)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.AddHosting();
        await using var app = builder.Build();
        Assert.Equal(isMade, app.Services.GetRequiredService<ILoggerFactory>().CreateLogger(category).IsEnabled(level));
    }
}
