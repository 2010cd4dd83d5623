using System.Data.Common;
using System.Globalization;
using System.Security.Cryptography;
using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Portals;

/// <summary>An installation's life.</summary>
internal sealed partial class PortalStore
{
    /// <summary>What is to be deleted stays for a day, without tokens: a reinstallation finds its settings.</summary>
    private const long DeleteAfter = 24 * 60 * 60 * 1000;

    /// <summary>Stores a confirmed installation together with the work that it asks for: whoever is killed afterwards finds both.</summary>
    public Task InstallAsync(ConfirmedInstallation installation, CancellationToken cancellationToken) =>
        ChangeAsync(installation.Id, async (connection, token) =>
        {
            var id = installation.Id;
            var before = (await connection.QueryAsync(Select + IsInstallation + database.ForUpdate, PortalRows.Raw, token, Key(id)))
                .Select(_rows.Read)
                .FirstOrDefault();
            // An uninstallation that was told of the earlier installation does not concern this one, not even where its answer is
            // under way: so this is another one.
            await using var obsolete = connection.Command(
                $"DELETE FROM work WHERE {IsInstallation} AND kind = @kind", [.. Key(id), ("@kind", PortalWork.Uninstall)]);
            var wasTold = await obsolete.ExecuteNonQueryAsync(token) > 0;
            var stays = before is { State: PortalState.Installed } && !wasTold;
            await StoreAsync(connection, installation, before, stays, token);
            await PortalWork.RequestAsync(
                connection, database.NowSql, id, PortalWork.Reconcile, 0, installation.ReconcileIn, TimeSpan.Zero, "installation",
                resetAttempts: true, token);
            return true;
        }, cancellationToken);

    private async Task StoreAsync(
        DbConnection connection, ConfirmedInstallation installation, Portal? before, bool stays, CancellationToken cancellationToken)
    {
        var id = installation.Id;
        var now = await NowAsync(connection, cancellationToken);
        var key = before is { RemovalKey.IsEmpty: false }
            ? before.RemovalKey.Reveal()
            : Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
        var hash = installation.ApplicationToken is { IsEmpty: false } sent
            ? ApplicationToken.Hash(sent.Reveal())
            : before?.ApplicationTokenHash;
        // Versions of the tokens begin with the time: a portal that was deleted and comes back never has an earlier one again.
        await using var upsert = connection.Command(
            $"""
            INSERT INTO portals (member_id, app, client_endpoint, oauth_server, state, epoch, user_id, tokens, tokens_state,
            tokens_version, tokens_expire_at, tokens_renewed_at,
                                 refresh_until, application_token_hash, removal_key, removal_key_hash, declaration,
                                     reconciled_at, checked_at, removals, removed_at)
            VALUES (@id, @app, @endpoint, @oauth, {Installed}, @epoch, @user, @tokens, {Good}, @now, @expires, @now, 0,
                @apptoken, @key, @keyhash, '', 0, 0, 0, 0)
            ON CONFLICT (member_id, app) DO UPDATE SET
                {(stays ? KeepAsReserve : "reserve_tokens = NULL")},
                client_endpoint = @endpoint, oauth_server = @oauth, state = {Installed}, epoch = @epoch, user_id = @user,
                is_administrator = 1,
                tokens = @tokens, tokens_state = {Good}, tokens_version = portals.tokens_version + 1,
                tokens_expire_at = @expires, tokens_renewed_at = @now,
                refresh_owner = NULL, refresh_until = 0, application_token_hash = @apptoken, delete_at = NULL,
                removal_key = CASE WHEN @newkey = 1 THEN @key ELSE portals.removal_key END,
                removal_key_hash = CASE WHEN @newkey = 1 THEN @keyhash ELSE portals.removal_key_hash END
            """,
            [
                .. Key(id), .. TokenParameters(id, installation.UserId, installation.Tokens), ("@now", now),
                ("@endpoint", installation.ClientEndpoint.AbsoluteUri), ("@oauth", installation.OAuthServer.AbsoluteUri),
                ("@epoch", stays && before is not null ? before.Epoch : Math.Max(now, (before?.Epoch ?? 0) + 1)), ("@apptoken", hash),
                ("@key", vault.Protect(id, "removal", key)), ("@keyhash", ApplicationToken.Hash(key)),
                ("@newkey", before is { RemovalKey.IsEmpty: false } ? 0 : 1),
            ]);
        await upsert.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>The app is gone: its row stays without tokens, clean for a day. Only for the installation that was asked about.</summary>
    public Task<bool> UninstallAsync(PortalId id, long epoch, bool clean, CancellationToken cancellationToken) =>
        ChangeAsync(id, async (connection, token) =>
        {
            await using var command = connection.Command(
                $"""
                UPDATE portals SET state = {Uninstalled}, tokens = NULL, reserve_tokens = NULL,
                tokens_state = {(int)TokenState.None}, tokens_version = tokens_version + 1,
                    application_token_hash = NULL, declaration = '', placements = NULL, refresh_owner = NULL, refresh_until = 0,
                    delete_at = {(clean ? $"{database.NowSql} + {DeleteAfter}" : "NULL")}
                WHERE {IsInstallation} AND epoch = @epoch
                """,
                [.. Key(id), ("@epoch", epoch)]);
            if (await command.ExecuteNonQueryAsync(token) == 0)
                return false;
            // Its events are still handled, that of the uninstallation too.
            await using var work = connection.Command(
                $"DELETE FROM work WHERE {IsInstallation} AND kind <> @events", [.. Key(id), ("@events", PortalWork.Events)]);
            await work.ExecuteNonQueryAsync(token);
            return true;
        }, cancellationToken);

    /// <summary>Deletes what was uninstalled without leave to stay, a day later.</summary>
    /// <returns>How many portals are gone.</returns>
    public async Task<int> DeleteExpiredAsync(int limit, CancellationToken cancellationToken)
    {
        var due = await database.QueryAsync(
            $"SELECT member_id, app FROM portals WHERE delete_at <= {database.NowSql} ORDER BY delete_at LIMIT @limit", ReadId,
            cancellationToken, ("@limit", limit));
        var deleted = 0;
        foreach (var id in due.OfType<PortalId>())
        {
            if (await ChangeAsync(id, (connection, token) => DeleteAsync(connection, id, token), cancellationToken))
                deleted++;
        }

        return deleted;
    }

    private async Task<bool> DeleteAsync(DbConnection connection, PortalId id, CancellationToken cancellationToken)
    {
        await using var portal = connection.Command(
            $"DELETE FROM portals WHERE {IsInstallation} AND state = {Uninstalled} AND delete_at <= {database.NowSql}", Key(id));
        if (await portal.ExecuteNonQueryAsync(cancellationToken) == 0)
            return false;
        foreach (var table in (string[])["worker_hours", "inbox", "work"])
        {
            await using var rest = connection.Command($"DELETE FROM {table} WHERE {IsInstallation}", Key(id));
            await rest.ExecuteNonQueryAsync(cancellationToken);
        }

        return true;
    }

    public Task<bool> SuspendAsync(PortalId id, long epoch, CancellationToken cancellationToken) =>
        UpdateAsync(id, $"UPDATE portals SET state = {Suspended} WHERE {IsInstallation} AND epoch = @epoch AND state = {Installed}",
            cancellationToken, ("@epoch", epoch));

    public Task<bool> AdoptApplicationTokenAsync(PortalId id, Secret applicationToken, CancellationToken cancellationToken) =>
        UpdateAsync(id, $"UPDATE portals SET application_token_hash = @hash WHERE {IsInstallation}", cancellationToken,
            ("@hash", ApplicationToken.Hash(applicationToken.Reveal())));

    /// <summary>The address that the OAuth server has just told.</summary>
    public Task<bool> MoveAsync(PortalId id, Uri clientEndpoint, CancellationToken cancellationToken) =>
        UpdateAsync(id, $"UPDATE portals SET client_endpoint = @endpoint WHERE {IsInstallation}", cancellationToken,
            ("@endpoint", clientEndpoint.AbsoluteUri));

    /// <summary>Takes the day's check of a portal's placements: true for one caller only, over all instances.</summary>
    public Task<bool> TakeCheckAsync(PortalId id, DateTimeOffset notCheckedSince, CancellationToken cancellationToken) =>
        UpdateAsync(id, $"UPDATE portals SET checked_at = {database.NowSql} WHERE {IsInstallation} AND checked_at < @since",
            cancellationToken,
            ("@since", clock.ToDatabase(notCheckedSince)));

    private async Task<long> NowAsync(DbConnection connection, CancellationToken cancellationToken)
    {
        await using var command = connection.Command($"SELECT {database.NowSql}");
        return Convert.ToInt64(await command.ExecuteScalarAsync(cancellationToken), CultureInfo.InvariantCulture);
    }
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
