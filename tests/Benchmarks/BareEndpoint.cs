namespace Benchmarks;

/// <summary>The least that Kestrel can do for a worker load: read the same form, send the same bytes. Neither checks nor knows anything.</summary>
internal static class BareEndpoint
{
    public static async Task RunAsync(int port, byte[] page, string policy)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(static k => k.AddServerHeader = false);
        var app = builder.Build();
        app.Urls.Add($"http://127.0.0.1:{port}");
        app.MapPost("/placements/page-background-worker", (RequestDelegate)(async context =>
        {
            await context.Request.ReadFormAsync();
            var response = context.Response;
            response.ContentType = "text/html; charset=utf-8";
            response.ContentLength = page.Length;
            response.Headers.CacheControl = "no-cache";
            response.Headers.ContentSecurityPolicy = policy;
            response.Headers.XContentTypeOptions = "nosniff";
            response.Headers["Referrer-Policy"] = "no-referrer";
            await response.BodyWriter.WriteAsync(page);
        }));
        await app.RunAsync();
    }
}
