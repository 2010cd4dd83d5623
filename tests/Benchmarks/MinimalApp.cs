using Microsoft.Data.Sqlite;

namespace Benchmarks;

/// <summary>What anybody's ASP.NET Core app with SQLite has to do before its first answer.</summary>
internal static class MinimalApp
{
    public static async Task RunAsync(int port, string database)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var app = builder.Build();
        app.Urls.Add($"http://127.0.0.1:{port}");
        await using var connection = new SqliteConnection($"Data Source={database}");
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA journal_mode=WAL; CREATE TABLE IF NOT EXISTS portals (member_id TEXT PRIMARY KEY); SELECT COUNT(*) FROM portals";
        await command.ExecuteScalarAsync();
        app.MapPost(Comparison.Path, (RequestDelegate)(async context =>
        {
            await context.Request.ReadFormAsync();
            context.Response.ContentLength = 2;
            await context.Response.Body.WriteAsync("ok"u8.ToArray());
        }));
        await app.RunAsync();
    }
}
