using Bitrix24Placements;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Options;

namespace DealDesk.Deals;

/// <summary>The app's own table: who has commented which deal here. One row names portal and app, as every table of such an app has to.</summary>
public sealed class CommentLog
{
    private readonly string _connectionString;

    public CommentLog(IOptions<DealDeskOptions> options)
    {
        _connectionString = options.Value.ConnectionString;
        if (Path.GetDirectoryName(Path.GetFullPath(new SqliteConnectionStringBuilder(_connectionString).DataSource)) is { } folder)
            Directory.CreateDirectory(folder);
        using var connection = Open();
        using var command = connection.CreateCommand();
        command.CommandText =
            """
            CREATE TABLE IF NOT EXISTS comments (
                app TEXT NOT NULL, member_id TEXT NOT NULL, deal_id INTEGER NOT NULL, user_id INTEGER NOT NULL, text TEXT NOT NULL, at TEXT NOT NULL)
            """;
        command.ExecuteNonQuery();
    }

    public void Add(PortalId portal, int dealId, long userId, string text)
    {
        using var connection = Open();
        using var command = connection.CreateCommand();
        command.CommandText = "INSERT INTO comments VALUES ($app, $member, $deal, $user, $text, $at)";
        command.Parameters.AddWithValue("$app", portal.App);
        command.Parameters.AddWithValue("$member", portal.MemberId);
        command.Parameters.AddWithValue("$deal", dealId);
        command.Parameters.AddWithValue("$user", userId);
        command.Parameters.AddWithValue("$text", text);
        command.Parameters.AddWithValue("$at", DateTimeOffset.UtcNow.ToString("O"));
        command.ExecuteNonQuery();
    }

    public long Count(PortalId portal, int dealId)
    {
        using var connection = Open();
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT COUNT(*) FROM comments WHERE app = $app AND member_id = $member AND deal_id = $deal";
        command.Parameters.AddWithValue("$app", portal.App);
        command.Parameters.AddWithValue("$member", portal.MemberId);
        command.Parameters.AddWithValue("$deal", dealId);
        return (long)command.ExecuteScalar()!;
    }

    /// <summary>Nothing of a portal stays that has uninstalled the app.</summary>
    public void Forget(PortalId portal)
    {
        using var connection = Open();
        using var command = connection.CreateCommand();
        command.CommandText = "DELETE FROM comments WHERE app = $app AND member_id = $member";
        command.Parameters.AddWithValue("$app", portal.App);
        command.Parameters.AddWithValue("$member", portal.MemberId);
        command.ExecuteNonQuery();
    }

    private SqliteConnection Open()
    {
        var connection = new SqliteConnection(_connectionString);
        connection.Open();
        return connection;
    }
}
