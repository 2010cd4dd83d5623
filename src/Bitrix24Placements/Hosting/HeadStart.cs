using Bitrix24Placements.Placements;
using Bitrix24Placements.Portals;
using Microsoft.Data.Sqlite;

namespace Bitrix24Placements.Hosting;

/// <summary>Has the code that the first request needs compiled while the host is still being built: on another processor, where there is one.</summary>
/// <remarks>Nothing that it makes is kept, and nothing waits for it. A failure will come again where somebody looks at it.</remarks>
internal static class HeadStart
{
    public static void Begin(IConfiguration configuration)
    {
        if (Environment.ProcessorCount == 1)
            return;
        _ = Task.Run(Parse);
        if (!Enum.TryParse<StorageProvider>(configuration["Storage:Provider"], ignoreCase: true, out var provider) || provider == StorageProvider.Sqlite)
            _ = Task.Run(ReadAsync);
    }

    private static void Parse()
    {
        using var form = WireForm.Parse(WarmUp.Query, WarmUp.Body("0"));
        PlacementParser.Parse(form, PlacementPipeline.BackgroundWorker);
        ApplicationToken.Hash("");
    }

    private static async Task ReadAsync()
    {
        await using var connection = new SqliteConnection("Data Source=:memory:");
        await connection.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await connection.QueryAsync("SELECT @text, 1, NULL", static row => row.GetString(0) + row.GetInt64(1) + row.TextOrNull(2), CancellationToken.None, ("@text", ""));
        await transaction.CommitAsync();
    }
}
