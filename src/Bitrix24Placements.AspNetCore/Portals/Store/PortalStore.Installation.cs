using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Portals;

internal sealed partial class PortalStore
{
    // A reinstallation finds its settings.
    private static readonly TimeSpan DeleteAfter = TimeSpan.FromDays(1);

    private static readonly TimeSpan ClocksDiffer = TimeSpan.FromMinutes(1);

    /// <summary>As long as the access token in them.</summary>
    private static readonly TimeSpan PagesLiveFor = TimeSpan.FromHours(1);

    /// <summary>False where a newer one is installed; what is not there any more is installed whatever the clocks say.</summary>
    public Task<bool> InstallAsync(ConfirmedInstallation installation, CancellationToken cancellationToken) =>
        ChangeAsync(installation.Id, async connection =>
        {
            var id = installation.Id;
            var rows = await connection.QueryAsync($"SELECT * FROM portals WHERE {Is(id)}{database.ForUpdate}", r => new Row(r));
            var before = rows.Select(_rows.Read).FirstOrDefault();
            var isInstalled = before is { State: PortalState.Installed };
            // What is to come was told by a clock that went wrong.
            if (isInstalled && before!.ToldAt > installation.ToldAt && clock.ToDatabase(before.ToldAt - ClocksDiffer) <= clock.Now)
                return false;
            // What was told of the earlier installation, its answer perhaps under way, does not concern this one.
            Sql isNotice = $"{Is(id)} AND kind = {WorkKind.Uninstall}";
            var wasTold = await connection.AnyAsync($"SELECT 1 FROM work WHERE {isNotice}") || before?.ToldAt < installation.UninstalledAt;
            // One that came while it was being confirmed may.
            await connection.ExecuteAsync($"DELETE FROM work WHERE {isNotice} AND created_at <= {clock.ToDatabase(installation.ToldAt)}");
            await StoreAsync(connection, installation, before, stays: isInstalled && (!wasTold || IsTheSame(before!, installation)));
            await new WorkRequest(id, WorkKind.Reconcile) { Delay = installation.ReconcileIn, Payload = "installation" }
                .FileAsync(connection, database.Now);
            return true;
        }, cancellationToken);

    /// <summary>Though any employee can say that the app was uninstalled. A new installation has another application_token.</summary>
    private static bool IsTheSame(Portal before, ConfirmedInstallation installation) =>
        installation.IsUpdate || new KnownPortal(before).AcceptsApplicationToken(installation.ApplicationToken);

    private async Task StoreAsync(Connection connection, ConfirmedInstallation installation, Portal? before, bool stays)
    {
        var (id, user) = (installation.Id, installation.UserId);
        var now = await connection.NumberAsync($"SELECT {database.Now}");
        var epoch = stays ? before!.Epoch : Math.Max(now, (before?.Epoch ?? 0) + 1);
        var sent = installation.ApplicationToken is { IsEmpty: false } token ? ApplicationToken.Hash(token.Reveal()) : null;
        var hash = sent is not null && await MayHaveAsync(connection, id, sent) ? sent : before?.ApplicationTokenHash;
        var keepsKey = before is { RemovalKey.IsEmpty: false };
        var key = keepsKey ? before!.RemovalKey.Reveal() : Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
        Sql replaced = installation.IsUpdate ? "portals.application_token_hash" : "NULL";
        Sql newKey = keepsKey ? "" : ", removal_key = excluded.removal_key, removal_key_hash = excluded.removal_key_hash";
        // Versions begin with the time: a portal that comes back never has an earlier one again.
        await connection.ExecuteAsync(
            $"""
            INSERT INTO portals (member_id, app, client_endpoint, oauth_server, state, epoch, user_id, tokens, tokens_state,
                tokens_version, tokens_expire_at, tokens_renewed_at, refresh_until, application_token_hash,
                removal_key, removal_key_hash, declaration, reconciled_at, checked_at, removals, removed_at, told_at)
            VALUES ({id.MemberId}, {id.App}, {installation.ClientEndpoint.AbsoluteUri}, {installation.OAuthServer.AbsoluteUri},
                {PortalState.Installed}, {epoch}, {user}, {Seal(id, installation.Tokens)}, {TokenState.Good},
                {now}, {Expiry(installation.Tokens)}, {now}, 0, {hash},
                {vault.Protect(id, "removal", key)}, {ApplicationToken.Hash(key)}, '', 0, 0, 0, 0,
                {clock.ToDatabase(installation.ToldAt)})
            ON CONFLICT (member_id, app) DO UPDATE SET
                {(stays ? KeepAsReserve(user) : "reserve_tokens = NULL")},
                client_endpoint = excluded.client_endpoint, oauth_server = excluded.oauth_server, state = excluded.state,
                epoch = excluded.epoch, user_id = excluded.user_id, is_administrator = 1,
                tokens = excluded.tokens, tokens_state = excluded.tokens_state, tokens_version = portals.tokens_version + 1,
                tokens_expire_at = excluded.tokens_expire_at, tokens_renewed_at = excluded.tokens_renewed_at, {NoLease},
                replaced_token_hash = CASE WHEN portals.application_token_hash = excluded.application_token_hash
                    THEN portals.replaced_token_hash ELSE {replaced} END,
                application_token_hash = excluded.application_token_hash, told_at = excluded.told_at, delete_at = NULL
                {newKey}
            """);
    }

    public async Task<int> DeleteExpiredAsync(int limit, CancellationToken cancellationToken)
    {
        var due = await database.QueryAsync(
            $"SELECT member_id, app FROM portals WHERE delete_at <= {database.Now} ORDER BY delete_at LIMIT {limit}",
            PortalSql.ReadId, cancellationToken);
        var deleted = 0;
        foreach (var id in due.OfType<PortalId>())
            deleted += await ChangeAsync(id, connection => DeleteAsync(connection, id), cancellationToken) ? 1 : 0;
        return deleted;
    }

    private async Task<bool> DeleteAsync(Connection connection, PortalId id)
    {
        if (await connection.ExecuteAsync(
            $"""
            DELETE FROM portals WHERE {Is(id)} AND state = {PortalState.Uninstalled} AND delete_at <= {database.Now}
                AND NOT EXISTS (SELECT 1 FROM inbox WHERE {Is(id)} AND state = 0)
            """) == 0)
            return false;
        foreach (Sql table in (string[])["worker_hours", "heartbeats", "inbox"])
            await connection.ExecuteAsync($"DELETE FROM {table} WHERE {Is(id)}");
        // Kept installations may be another app's, or the next one.
        await connection.ExecuteAsync($"DELETE FROM work WHERE {Is(id)} AND vouched IS NULL");
        return true;
    }

    /// <summary>Unless somebody has brought other tokens meanwhile.</summary>
    public Task<bool> SuspendAsync(Portal asked, CancellationToken cancellationToken) => UpdateAsync(asked.Id,
        $"state = {PortalState.Suspended}",
        $"epoch = {asked.Epoch} AND tokens_version = {asked.TokensVersion} AND state = {PortalState.Installed}", cancellationToken);

    /// <summary>False for the one that an update has replaced, while pages from before it can still be confirmed.</summary>
    public Task<bool> AdoptApplicationTokenAsync(PortalId id, Secret applicationToken, CancellationToken cancellationToken) =>
        ChangeAsync(id, async connection =>
        {
            var hash = ApplicationToken.Hash(applicationToken.Reveal());
            Sql isOlder = $"replaced_token_hash = {hash} AND told_at > {database.Now} - {PagesLiveFor}";
            return !await connection.AnyAsync($"SELECT 1 FROM portals WHERE {Is(id)} AND {isOlder}")
                && await MayHaveAsync(connection, id, hash)
                && await connection.ExecuteAsync($"UPDATE portals SET application_token_hash = {hash} WHERE {Is(id)}") > 0;
        }, cancellationToken);

    // Each app has its own: who sends another's would be taken for that app's portal. What a removed app left behind is free again.
    private async Task<bool> MayHaveAsync(Connection connection, PortalId id, string hash)
    {
        Sql isOthers = $"member_id = {id.MemberId} AND app <> {id.App} AND application_token_hash = {hash}";
        var others = await connection.QueryAsync($"SELECT app FROM portals WHERE {isOthers}", r => r.GetString(0));
        if (others.Any(other => apps.Find(other) is not null))
            return false;
        if (others.Count > 0)
            await connection.ExecuteAsync($"UPDATE portals SET application_token_hash = NULL WHERE {isOthers}");
        return true;
    }

    public Task<bool> MoveAsync(PortalId id, Uri clientEndpoint, CancellationToken cancellationToken) =>
        UpdateAsync(id, $"client_endpoint = {clientEndpoint.AbsoluteUri}", Always, cancellationToken);

    /// <summary>True for one caller a day, over all instances.</summary>
    public Task<bool> TakeCheckAsync(PortalId id, DateTimeOffset notCheckedSince, CancellationToken cancellationToken) => UpdateAsync(id,
        $"checked_at = {database.Now}", $"checked_at < {clock.ToDatabase(notCheckedSince)}", cancellationToken);
}

internal sealed record ConfirmedInstallation
{
    public required PortalId Id { get; init; }

    public required Uri ClientEndpoint { get; init; }

    public required Uri OAuthServer { get; init; }

    public required long UserId { get; init; }

    public required PortalTokens Tokens { get; init; }

    /// <summary>Empty from an old portal: then a known one is kept.</summary>
    public Secret ApplicationToken { get; init; }

    public DateTimeOffset ToldAt { get; init; }

    public bool IsUpdate { get; init; }

    /// <summary>An uninstallation before it that is still to be handled; null where none is known.</summary>
    public DateTimeOffset? UninstalledAt { get; init; }

    /// <summary>In the background, if the caller does not come to it.</summary>
    public TimeSpan ReconcileIn { get; init; }
}
