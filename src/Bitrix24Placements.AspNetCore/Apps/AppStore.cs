using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Apps;

internal sealed partial class AppStore(Database database, TokenVault vault, TokenKeys keys, ILogger<AppStore> logger)
{
    private const string Purpose = "app";

    // Only what has changed is decrypted, and told of where it cannot be.
    private Dictionary<AppRow, RegisteredApp?> _read = [];

    public async Task<IReadOnlyList<RegisteredApp>> ListAsync(CancellationToken cancellationToken)
    {
        await keys.ReadAsync(cancellationToken);
        var rows = await database.QueryAsync(
            "SELECT name, client_id, secret, previous_secret, app_code FROM apps WHERE removed = 0 ORDER BY name",
            r => new AppRow(r.GetString(0), r.GetString(1), r.GetString(2), r.TextOrNull(3), r.TextOrNull(4)), cancellationToken);
        var known = _read;
        _read = rows.ToDictionary(r => r, r => known.TryGetValue(r, out var app) ? app : Open(r));
        return [.. rows.Select(r => _read[r]).OfType<RegisteredApp>()];
    }

    /// <summary>Like removed ones: when the configuration has them no more, their names stay theirs.</summary>
    /// <returns>Those that have another client_id in the database, or of which installations with it are here, and that one.</returns>
    public async Task<IReadOnlyList<(string Name, string ClientId)>> NoteConfiguredAsync(
        IReadOnlyList<RegisteredApp> apps, CancellationToken cancellationToken)
    {
        var noted = await database.QueryAsync(
            "SELECT name, client_id, removed FROM apps",
            r => (Name: r.GetString(0), ClientId: r.GetString(1), IsRemoved: r.GetInt32(2) == 1), cancellationToken);
        var others = new List<(string Name, string ClientId)>();
        foreach (var app in apps.Where(a => !noted.Exists(n => (n.Name, n.ClientId) == (a.Name, a.ClientId))))
        {
            var hasInstallations = await database.AnyAsync($"SELECT 1 FROM portals WHERE app = {app.Name} LIMIT 1", cancellationToken);
            others.AddRange(noted.Where(n => n.Name == app.Name && (hasInstallations || !n.IsRemoved))
                .Select(static n => (n.Name, n.ClientId)));
            await database.ChangeAsync(async connection =>
            {
                await connection.ExecuteAsync($"DELETE FROM apps WHERE removed = 1 AND name = {app.Name}");
                return await connection.ExecuteAsync(
                    $"""
                    INSERT INTO apps (name, client_id, secret, changed_at, removed)
                    VALUES ({app.Name}, {app.ClientId}, '', {database.Now}, 1)
                    ON CONFLICT DO NOTHING
                    """);
            }, cancellationToken);
        }

        return others;
    }

    /// <summary>False where the name or the client_id is taken. A removed app keeps its name as long as it has installations.</summary>
    public async Task<bool> AddAsync(RegisteredApp app, CancellationToken cancellationToken)
    {
        await keys.ReadAsync(cancellationToken);
        return await database.ChangeAsync(async connection =>
        {
            await connection.ExecuteAsync(
                $"""
                DELETE FROM apps WHERE removed = 1 AND name = {app.Name}
                    AND (client_id = {app.ClientId} OR NOT EXISTS (SELECT 1 FROM portals WHERE app = {app.Name}))
                """);
            return await connection.ExecuteAsync(
                $"""
                INSERT INTO apps (name, client_id, secret, app_code, changed_at)
                VALUES ({app.Name}, {app.ClientId}, {Seal(app.Name, app.ClientSecret)}, {app.AppCode}, {database.Now})
                ON CONFLICT DO NOTHING
                """) > 0;
        }, cancellationToken);
    }

    public async Task<bool> RotateAsync(string name, Secret secret, CancellationToken cancellationToken)
    {
        await keys.ReadAsync(cancellationToken);
        return await database.ExecuteAsync(
            $"""
            UPDATE apps SET previous_secret = COALESCE(previous_secret, secret), secret = {Seal(name, secret)}, changed_at = {database.Now}
            WHERE name = {name} AND removed = 0
            """, cancellationToken) > 0;
    }

    public Task ConfirmSecretAsync(string name, CancellationToken cancellationToken) => database.ExecuteAsync(
        $"UPDATE apps SET previous_secret = NULL, changed_at = {database.Now} WHERE name = {name} AND previous_secret IS NOT NULL",
        cancellationToken);

    public async Task<bool> RemoveAsync(string name, CancellationToken cancellationToken) =>
        await database.ExecuteAsync(
            $"UPDATE apps SET removed = 1, secret = '', previous_secret = NULL WHERE name = {name} AND removed = 0", cancellationToken) > 0;

    private RegisteredApp? Open(AppRow row)
    {
        if (AppsOptions.IsName(row.Name) && Open(row.Name, row.Secret) is { } secret)
            return new(row.Name, row.ClientId, secret, row.AppCode) { PreviousSecret = Open(row.Name, row.PreviousSecret) };
        Log.Unreadable(logger, row.Name);
        return null;
    }

    private Secret? Open(string name, string? secret) =>
        secret is not null && vault.Unprotect(name, Purpose, secret) is { } text ? new Secret(text) : null;

    private string Seal(string name, Secret secret) => vault.Protect(name, Purpose, secret.Reveal());

    private sealed record AppRow(string Name, string ClientId, string Secret, string? PreviousSecret, string? AppCode);

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "The secret of the app {Name} cannot be decrypted: give it anew with app rotate")]
        public static partial void Unreadable(ILogger logger, string name);
    }
}
