using System.Data.Common;
using System.Security.Cryptography;
using Bitrix24Placements.Storage;
using Bitrix24Placements.Work;

namespace Bitrix24Placements.Portals;

/// <summary>Portals in the database: look-ups and what an installation's life changes. Every change reaches this process's memory at once and other instances' within seconds.</summary>
internal sealed partial class PortalStore(Database database, PortalDirectory directory, TokenVault vault, TimeProvider time, ILogger<PortalStore> logger)
{
    private readonly PortalRows _rows = new(vault, logger);

    /// <summary>From memory where the portal is known, else from the database; null where there is none.</summary>
    public async ValueTask<KnownPortal?> KnownAsync(PortalId id, CancellationToken cancellationToken)
    {
        if (directory.Find(id) is { } known)
            return known;
        var stamp = directory.Stamp(id);
        if (await FindAsync(id, cancellationToken) is not { } portal)
            return null;
        known = new KnownPortal(portal);
        directory.Put(known, stamp);
        return known;
    }

    /// <summary>Every app's installation on this portal, from memory where they are known.</summary>
    public async ValueTask<IReadOnlyList<KnownPortal>> KnownAllAsync(string memberId, CancellationToken cancellationToken) =>
        await KnownAsync(new(memberId), cancellationToken) is { } portal ? [portal] : [];

    public async Task<Portal?> FindAsync(PortalId id, CancellationToken cancellationToken)
    {
        var rows = await database.QueryAsync($"SELECT {PortalRows.Columns} FROM portals WHERE member_id = @id", _rows.Read, cancellationToken, ("@id", id.MemberId));
        if (rows is [var portal])
            return portal;
        _rows.Forget(id);
        return null;
    }

    /// <summary>Whose removal notices arrive under this key; null where it is nobody's.</summary>
    public async Task<PortalId?> FindByRemovalKeyAsync(string key, CancellationToken cancellationToken)
    {
        var rows = await database.QueryAsync("SELECT member_id FROM portals WHERE removal_key_hash = @hash", static r => new PortalId(r.GetString(0)), cancellationToken, ("@hash", ApplicationToken.Hash(key)));
        return rows is [var id] ? id : null;
    }

    /// <summary>Stores a confirmed installation together with the work that it asks for: whoever is killed afterwards finds both.</summary>
    public async Task InstallAsync(ConfirmedInstallation installation, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var id = installation.Id;
        await ChangeAsync(id, async (connection, token) =>
        {
            var before = (await connection.QueryAsync($"SELECT {PortalRows.Columns} FROM portals WHERE member_id = @id{ForUpdate}", _rows.Read, token, ("@id", id.MemberId))).FirstOrDefault();
            var key = before is { RemovalKey.IsEmpty: false } ? before.RemovalKey.Reveal() : Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
            // An uninstallation that was told of the earlier installation does not concern this one, not even where its answer is under way: so this is another one.
            await using var obsolete = connection.Command("DELETE FROM work WHERE member_id = @id AND kind = @kind", ("@id", id.MemberId), ("@kind", WorkKind.Uninstall));
            var told = await obsolete.ExecuteNonQueryAsync(token) > 0;
            var stays = before is { State: PortalState.Installed } && !told;
            var hash = installation.ApplicationToken is { IsEmpty: false } sent ? ApplicationToken.Hash(sent.Reveal()) : before?.ApplicationTokenHash;
            // Versions of the tokens begin with the time: a portal that was deleted and comes back never has an earlier one again.
            await using var upsert = connection.Command(
                """
                INSERT INTO portals (member_id, client_endpoint, oauth_server, state, epoch, user_id, tokens, tokens_state, tokens_version, tokens_expire_at, tokens_renewed_at,
                                     refresh_until, application_token_hash, removal_key, removal_key_hash, declaration, reconciled_at, checked_at, removals, removed_at)
                VALUES (@id, @endpoint, @oauth, 1, @epoch, @user, @tokens, 1, @now, @expires, @now, 0, @apptoken, @key, @keyhash, '', 0, 0, 0, 0)
                ON CONFLICT (member_id) DO UPDATE SET
                    client_endpoint = @endpoint, oauth_server = @oauth, state = 1, epoch = @epoch, user_id = @user,
                    tokens = @tokens, tokens_state = 1, tokens_version = portals.tokens_version + 1, tokens_expire_at = @expires, tokens_renewed_at = @now,
                    refresh_owner = NULL, refresh_until = 0, application_token_hash = @apptoken,
                    removal_key = CASE WHEN @newkey = 1 THEN @key ELSE portals.removal_key END, removal_key_hash = CASE WHEN @newkey = 1 THEN @keyhash ELSE portals.removal_key_hash END
                """,
                ("@id", id.MemberId), ("@endpoint", installation.ClientEndpoint.AbsoluteUri), ("@oauth", installation.OAuthServer.AbsoluteUri), ("@user", installation.UserId),
                ("@epoch", stays ? before!.Epoch : Math.Max(now, (before?.Epoch ?? 0) + 1)), ("@tokens", vault.ProtectTokens(id.MemberId, installation.Tokens)),
                ("@expires", installation.Tokens.ExpiresAt.ToUnixTimeMilliseconds()), ("@now", now), ("@apptoken", hash),
                ("@key", vault.Protect(id.MemberId, "removal", key)), ("@keyhash", ApplicationToken.Hash(key)),
                ("@newkey", before is { RemovalKey.IsEmpty: true } ? 1 : 0));
            await upsert.ExecuteNonQueryAsync(token);
            await WorkStore.RequestAsync(connection, id, WorkKind.Reconcile, now + (long)installation.ReconcileIn.TotalMilliseconds, TimeSpan.Zero, "installation", resetAttempts: true, now, token);
            return true;
        }, cancellationToken);
    }

    /// <summary>The app is gone. Clean: the portal is deleted; otherwise its row stays without tokens. Only for the installation that was asked about.</summary>
    public Task<bool> UninstallAsync(PortalId id, long epoch, bool clean, CancellationToken cancellationToken) =>
        ChangeAsync(id, async (connection, token) =>
        {
            await using var command = connection.Command(
                clean
                    ? "DELETE FROM portals WHERE member_id = @id AND epoch = @epoch"
                    : "UPDATE portals SET state = 0, tokens = NULL, tokens_state = 0, tokens_version = tokens_version + 1, application_token_hash = NULL, declaration = '', placements = NULL, "
                      + "refresh_owner = NULL, refresh_until = 0 WHERE member_id = @id AND epoch = @epoch",
                ("@id", id.MemberId), ("@epoch", epoch));
            if (await command.ExecuteNonQueryAsync(token) == 0)
                return false;
            await using var work = connection.Command("DELETE FROM work WHERE member_id = @id", ("@id", id.MemberId));
            await work.ExecuteNonQueryAsync(token);
            if (clean)
            {
                await using var hours = connection.Command("DELETE FROM worker_hours WHERE member_id = @id", ("@id", id.MemberId));
                await hours.ExecuteNonQueryAsync(token);
            }

            return true;
        }, cancellationToken);

    public Task<bool> SuspendAsync(PortalId id, long epoch, CancellationToken cancellationToken) =>
        UpdateAsync(id, "UPDATE portals SET state = 2 WHERE member_id = @id AND epoch = @epoch AND state = 1", cancellationToken, ("@epoch", epoch));

    public Task<bool> AdoptApplicationTokenAsync(PortalId id, Secret applicationToken, CancellationToken cancellationToken) =>
        UpdateAsync(id, "UPDATE portals SET application_token_hash = @hash WHERE member_id = @id", cancellationToken, ("@hash", ApplicationToken.Hash(applicationToken.Reveal())));

    /// <summary>The address that the OAuth server has just told.</summary>
    public Task<bool> MoveAsync(PortalId id, Uri clientEndpoint, CancellationToken cancellationToken) =>
        UpdateAsync(id, "UPDATE portals SET client_endpoint = @endpoint WHERE member_id = @id", cancellationToken, ("@endpoint", clientEndpoint.AbsoluteUri));

    /// <summary>Takes the day's check of a portal's placements: true for one caller only, over all instances.</summary>
    public Task<bool> TakeCheckAsync(PortalId id, DateTimeOffset notCheckedSince, CancellationToken cancellationToken) =>
        UpdateAsync(id, "UPDATE portals SET checked_at = @now WHERE member_id = @id AND checked_at < @since", cancellationToken,
            ("@now", time.GetUtcNow().ToUnixTimeMilliseconds()), ("@since", notCheckedSince.ToUnixTimeMilliseconds()));

    /// <summary>Reads anew what other instances have changed in the last seconds.</summary>
    /// <returns>How many portals in memory were concerned.</returns>
    public async Task<int> FollowChangesAsync(CancellationToken cancellationToken)
    {
        var changed = await database.QueryAsync($"SELECT member_id FROM portal_changes WHERE changed_at >= {NowSql} - 15000", static r => new PortalId(r.GetString(0)), cancellationToken);
        var concerned = 0;
        foreach (var id in changed.Where(directory.Contains))
        {
            var portal = await FindAsync(id, cancellationToken);
            directory.Replace(id, portal is null ? null : new KnownPortal(portal));
            concerned++;
        }

        return concerned;
    }

    public Task ForgetOldChangesAsync(CancellationToken cancellationToken) =>
        database.ExecuteAsync($"DELETE FROM portal_changes WHERE changed_at < {NowSql} - 3600000", cancellationToken);

    private Task<bool> UpdateAsync(PortalId id, string sql, CancellationToken cancellationToken, params (string Name, object? Value)[] parameters) =>
        ChangeAsync(id, async (connection, token) =>
        {
            await using var command = connection.Command(sql, [("@id", id.MemberId), .. parameters]);
            return await command.ExecuteNonQueryAsync(token) > 0;
        }, cancellationToken);

    /// <summary>Commits a change with the note that other instances follow, and brings it into this process's memory.</summary>
    private async Task<bool> ChangeAsync(PortalId id, Func<DbConnection, CancellationToken, Task<bool>> change, CancellationToken cancellationToken)
    {
        var portal = await database.RunAsync<(bool Changed, Portal? After)>(async (connection, token) =>
        {
            await using var transaction = await connection.BeginTransactionAsync(token);
            if (!await change(connection, token))
                return (false, null);
            await using var note = connection.Command(
                $"INSERT INTO portal_changes (member_id, changed_at) VALUES (@id, {NowSql}) ON CONFLICT (member_id) DO UPDATE SET changed_at = {NowSql}", ("@id", id.MemberId));
            await note.ExecuteNonQueryAsync(token);
            var after = await connection.QueryAsync($"SELECT {PortalRows.Columns} FROM portals WHERE member_id = @id", _rows.Read, token, ("@id", id.MemberId));
            await transaction.CommitAsync(token);
            return (true, after.FirstOrDefault());
        }, cancellationToken);
        if (portal is { Changed: true, After: null })
            _rows.Forget(id);
        if (portal.Changed)
            directory.Replace(id, portal.After is null ? null : new KnownPortal(portal.After));
        return portal.Changed;
    }

    /// <summary>The database's own clock: instances' clocks may differ by more than a change takes to be noticed.</summary>
    private string NowSql => database.Provider == StorageProvider.PostgreSql
        ? "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)"
        : "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)";

    private string ForUpdate => database.Provider == StorageProvider.PostgreSql ? " FOR UPDATE" : "";
}

/// <summary>What a confirmed administrator's installation brings.</summary>
internal sealed record ConfirmedInstallation
{
    public required PortalId Id { get; init; }

    public required Uri ClientEndpoint { get; init; }

    public required Uri OAuthServer { get; init; }

    public required long UserId { get; init; }

    public required PortalTokens Tokens { get; init; }

    /// <summary>Empty where the portal is too old to send one: then a known one is kept.</summary>
    public Secret ApplicationToken { get; init; }

    /// <summary>When the background shall reconcile, where the caller does not come to do it.</summary>
    public TimeSpan ReconcileIn { get; init; }
}
