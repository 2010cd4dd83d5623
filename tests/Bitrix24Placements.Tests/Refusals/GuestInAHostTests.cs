using System.Net;
using Bitrix24Placements.Tests.Harness;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace Bitrix24Placements.Tests.Refusals;

/// <summary>In somebody's existing app the library answers for its own endpoints, and for nothing else.</summary>
public sealed class GuestInAHostTests : IAsyncLifetime
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("b24p-");
    private WebApplication _host = null!;
    private HttpClient _http = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Configuration.AddInMemoryCollection([new("Storage:ConnectionString", $"Data Source={_folder.FullName}/placements.db"), new("Storage:SpoolPath", $"{_folder.FullName}/spool")]);
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls($"http://127.0.0.1:{Service.FreePort()}");
        builder.AddBitrix24Placements();
        _host = builder.Build();
        _host.Use(async (context, next) =>
        {
            try
            {
                await next(context);
            }
            catch (NotSupportedException)
            {
                context.Response.StatusCode = StatusCodes.Status418ImATeapot;
            }
        });
        _host.UseBitrix24Placements();
        _host.MapBitrix24Placements();
        _host.MapGet("/", () => "the host's");
        _host.MapGet("/health/ready", () => "the host's");
        _host.MapGet("/broken", string () => throw new NotSupportedException());
        _host.MapGet("/missing", () => Results.NotFound());
        await _host.StartAsync(Token);
        _http = new() { BaseAddress = new(_host.Urls.Single()) };
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _host.DisposeAsync();
        _folder.Delete(true);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/health/ready")]
    public async Task The_hosts_own_endpoint_at_the_same_address_comes_first(string path) =>
        Assert.Equal("the host's", await _http.GetStringAsync(path, Token));

    [Theory]
    [InlineData("/broken", 418)]
    [InlineData("/missing", 404)]
    [InlineData("/nowhere", 404)]
    public async Task Its_exceptions_statuses_and_headers_are_left_alone(string path, int status)
    {
        using var answer = await _http.GetAsync(path, Token);
        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal("", await answer.Content.ReadAsStringAsync(Token));
        Assert.False(answer.Headers.Contains("X-Content-Type-Options"));
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/install")]
    [InlineData("/events")]
    [InlineData("/placements/rest-app-uri")]
    public async Task What_the_library_refuses_it_explains(string path)
    {
        using var answer = await _http.PostAsync(path, new StringContent("{}"), Token);
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, answer.StatusCode);
        Assert.Equal("unsupportedMediaType", await Service.CodeAsync(answer));
        Assert.Equal("nosniff", answer.Headers.GetValues("X-Content-Type-Options").Single());
    }

    [Fact]
    public async Task Its_pages_files_are_served()
    {
        using var answer = await _http.GetAsync(PageFrame.FilesPath + "/app.css", Token);
        Assert.Equal("text/css", answer.Content.Headers.ContentType?.MediaType);
    }
}
