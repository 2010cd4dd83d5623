using Bitrix24Placements.Portals;
using Bitrix24Placements.Work;
using NpgsqlTypes;

namespace Bitrix24Placements.Storage;

/// <summary>What changes in a row that moves: secrets come under the keys of the new place, leases stay behind.</summary>
internal sealed class MovedRows(TokenVault from, TokenVault to)
{
    public static readonly IReadOnlyList<(string Name, NpgsqlDbType Type)> PortalColumns =
    [
        ("member_id", NpgsqlDbType.Text), ("tokens", NpgsqlDbType.Text), ("tokens_state", NpgsqlDbType.Integer), ("removal_key", NpgsqlDbType.Text),
        ("declaration", NpgsqlDbType.Text), ("refresh_until", NpgsqlDbType.Bigint),
        ("client_endpoint", NpgsqlDbType.Text), ("oauth_server", NpgsqlDbType.Text), ("state", NpgsqlDbType.Integer), ("epoch", NpgsqlDbType.Bigint), ("user_id", NpgsqlDbType.Bigint),
        ("tokens_version", NpgsqlDbType.Bigint), ("tokens_expire_at", NpgsqlDbType.Bigint), ("tokens_renewed_at", NpgsqlDbType.Bigint), ("application_token_hash", NpgsqlDbType.Text),
        ("removal_key_hash", NpgsqlDbType.Text), ("placements", NpgsqlDbType.Text), ("reconciled_at", NpgsqlDbType.Bigint), ("checked_at", NpgsqlDbType.Bigint),
        ("removals", NpgsqlDbType.Integer), ("removed_at", NpgsqlDbType.Bigint),
    ];

    public static readonly IReadOnlyList<(string Name, NpgsqlDbType Type)> WorkColumns =
    [
        ("member_id", NpgsqlDbType.Text), ("kind", NpgsqlDbType.Text), ("payload", NpgsqlDbType.Text), ("lease_till", NpgsqlDbType.Bigint),
        ("due_at", NpgsqlDbType.Bigint), ("attempt", NpgsqlDbType.Integer), ("request", NpgsqlDbType.Bigint), ("created_at", NpgsqlDbType.Bigint),
        ("priority", NpgsqlDbType.Integer),
    ];

    public static readonly IReadOnlyList<(string Name, NpgsqlDbType Type)> WorkerHourColumns =
    [
        ("member_id", NpgsqlDbType.Text), ("hour", NpgsqlDbType.Bigint), ("loads", NpgsqlDbType.Bigint), ("slow", NpgsqlDbType.Bigint), ("worst_ms", NpgsqlDbType.Bigint),
    ];

    /// <summary>Portals whose tokens cannot be read: they arrive as dead.</summary>
    public int Unreadable { get; private set; }

    /// <summary>Changes a row of <see cref="PortalColumns"/> in place.</summary>
    public bool Portal(object?[] row)
    {
        var memberId = (string)row[0]!;
        if (row[1] is string tokens)
        {
            row[1] = Again(memberId, "tokens", tokens);
            if (row[1] is null)
            {
                row[2] = (long)TokenState.Dead;
                Unreadable++;
            }
        }

        if (Again(memberId, "removal", (string)row[3]!) is { } key)
        {
            row[3] = key;
        }
        else
        {
            // The reconciler registers another one as soon as it looks at the portal, which an empty declaration asks for.
            row[3] = "";
            row[4] = "";
        }

        row[5] = 0L;
        return true;
    }

    /// <summary>Changes a row of <see cref="WorkColumns"/> in place; an installation that is kept for later is encrypted.</summary>
    public bool Work(object?[] row)
    {
        row[3] = 0L;
        if (!((string)row[1]!).StartsWith(WorkKind.Install, StringComparison.Ordinal))
            return true;
        row[2] = Again((string)row[0]!, "install", (string)row[2]!);
        return row[2] is not null;
    }

    private string? Again(string memberId, string purpose, string value) =>
        from.Unprotect(memberId, purpose, value) is { } opened ? to.Protect(memberId, purpose, opened) : null;
}
