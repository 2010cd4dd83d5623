using System.Data.Common;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Threading.Channels;
using Bitrix24Placements;
using Bitrix24Placements.Apps;
using Bitrix24Placements.Placements;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Rest;
using Bitrix24Placements.Storage;
using Bitrix24Placements.Work;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace LoadData;

/// <summary>Fills a SQLite file with installed portals as the service would have stored them: valid rows, secrets encrypted by the store's own vault.</summary>
public static class ManyPortals
{
    /// <summary>Every portal's application_token.</summary>
    public const string ApplicationToken = "the-application-token-of-everybody";

    private const int PerTransaction = 20_000;

    private static readonly string[] Columns =
    [
        "member_id", "app", "client_endpoint", "oauth_server", "state", "epoch", "user_id", "tokens", "tokens_state", "tokens_version", "tokens_expire_at", "tokens_renewed_at",
        "refresh_until", "application_token_hash", "removal_key", "removal_key_hash", "declaration", "reconciled_at", "checked_at", "removals", "removed_at",
    ];

    /// <summary>The member_id of a portal by its number.</summary>
    public static string MemberId(int number) => Convert.ToHexStringLower(Spread(number));

    /// <summary>The key of a portal's removal notices by its number.</summary>
    public static string RemovalKey(int number) => MemberId(number) + "removal";

    /// <param name="publicUrl">The service's <c>Bitrix24:PublicUrl</c>: then its portals count as reconciled for it. Otherwise a service that starts looks at all of them.</param>
    /// <param name="progress">Told how many are there.</param>
    public static async Task FillAsync(string file, int portals, string? publicUrl, Action<int>? progress, CancellationToken cancellationToken)
    {
        await using var services = Open($"Data Source={file}", isPostgreSql: false, publicUrl);
        await FillAsync(services, portals, progress, cancellationToken);
    }

    /// <param name="services">Of <see cref="Open"/>: a store that is empty.</param>
    public static async Task FillAsync(IServiceProvider services, int portals, Action<int>? progress, CancellationToken cancellationToken)
    {
        await services.GetRequiredService<SchemaInstaller>().EnsureAsync(cancellationToken);
        var rows = Channel.CreateBounded<object[]>(PerTransaction * 2);
        var making = MakeAsync(services, portals, rows.Writer, cancellationToken);
        await services.GetRequiredService<Database>().RunLongAsync(async connection =>
        {
            await WriteAsync(connection.Driver, rows.Reader, progress, connection.Token);
            return true;
        }, cancellationToken);
        await making;
    }

    /// <summary>Encryption is what takes its time: on all processors.</summary>
    private static async Task MakeAsync(IServiceProvider services, int portals, ChannelWriter<object[]> rows, CancellationToken cancellationToken)
    {
        var vault = services.GetRequiredService<TokenVault>();
        var declaration = services.GetRequiredService<PlacementCatalogue>().Declaration;
        var now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        try
        {
            await Parallel.ForAsync(0, portals, cancellationToken, async (number, token) => await rows.WriteAsync(Row(number, vault, declaration, now), token));
            rows.Complete();
        }
        catch (Exception e)
        {
            rows.Complete(e);
        }
    }

    private static object[] Row(int number, TokenVault vault, string declaration, long now)
    {
        var memberId = MemberId(number);
        var key = RemovalKey(number);
        var tokens = new PortalTokens(new("access" + memberId), new("refresh" + memberId), default);
        return
        [
            memberId, PortalId.DefaultApp, string.Create(CultureInfo.InvariantCulture, $"https://portal{number}.example.com/rest/"), "https://oauth.bitrix.info/", 1, now, 1,
            vault.Protect(memberId, "tokens", tokens.Serialize()), 1, now, now + 3_600_000, now, 0, Hash(ApplicationToken), vault.Protect(memberId, "removal", key), Hash(key), declaration, now, now, 0, 0,
        ];
    }

    private static async Task WriteAsync(DbConnection connection, ChannelReader<object[]> rows, Action<int>? progress, CancellationToken cancellationToken)
    {
        if (connection is SqliteConnection)
        {
            await using var hasty = connection.CreateCommand();
            // Rows come in the order of no index: without room for the indexes every row would read and write several pages. What a crash leaves is filled again.
            hasty.CommandText = "PRAGMA synchronous = OFF; PRAGMA cache_size = -500000";
            await hasty.ExecuteNonQueryAsync(cancellationToken);
        }

        await using var insert = connection.CreateCommand();
        insert.CommandText = $"INSERT INTO portals ({string.Join(", ", Columns)}) VALUES ({string.Join(", ", Columns.Select(static c => "@" + c))})";
        foreach (var column in Columns)
        {
            var parameter = insert.CreateParameter();
            parameter.ParameterName = "@" + column;
            insert.Parameters.Add(parameter);
        }

        var count = 0;
        while (await rows.WaitToReadAsync(cancellationToken))
        {
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            insert.Transaction = transaction;
            for (var i = 0; i < PerTransaction && await rows.WaitToReadAsync(cancellationToken) && rows.TryRead(out var row); i++, count++)
            {
                for (var column = 0; column < row.Length; column++)
                    insert.Parameters[column].Value = row[column];
                await insert.ExecuteNonQueryAsync(cancellationToken);
            }

            await transaction.CommitAsync(cancellationToken);
            if (count % 100_000 < PerTransaction)
                progress?.Invoke(count);
        }

        progress?.Invoke(count);
    }

    /// <summary>The service's own stores, without the service.</summary>
    public static ServiceProvider Open(string connectionString, bool isPostgreSql, string? publicUrl, Action<IServiceCollection>? more = null)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton(Options.Create(new StorageOptions
        {
            Provider = isPostgreSql ? StorageProvider.PostgreSql : StorageProvider.Sqlite,
            ConnectionString = connectionString,
            CachedPortals = 100_000,
        }));
        services.AddSingleton(Options.Create(new DataProtectionSettings()));
        services.AddSingleton(Options.Create(new Bitrix24Options { PublicUrl = publicUrl?.TrimEnd('/') }));
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().Build());
        services.AddDatabase();
        services.AddApps();
        services.AddPortals();
        services.AddWork();
        services.AddSingleton<Texts>();
        services.AddSingleton<PlacementCatalogue>();
        more?.Invoke(services);
        return services.BuildServiceProvider();
    }

    private static string Hash(string text) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    /// <summary>Spread over the whole range as the vendor's are, so that the index grows as it would.</summary>
    private static byte[] Spread(int number) => SHA256.HashData(BitConverter.GetBytes(number))[..16];
}
