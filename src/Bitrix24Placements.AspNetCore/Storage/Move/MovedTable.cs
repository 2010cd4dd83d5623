namespace Bitrix24Placements.Storage;

/// <summary>What changes in a row when it moves: secrets come under the keys of the new place, leases stay behind.</summary>
internal sealed record MovedTable(string Name, params SealedColumn[] Sealed)
{
    /// <summary>As <c>Portals.TokenState</c> has it: an administrator's page brings new ones.</summary>
    private const long DeadTokens = 3;

    /// <summary>Columns with a value of their own at the new place.</summary>
    public Dictionary<string, object> Reset { get; init; } = [];

    public static readonly IReadOnlyList<MovedTable> All =
    [
        new("portals",
            new("tokens", "tokens")
            {
                IfUnreadable = new() { ["tokens"] = DBNull.Value, ["tokens_state"] = DeadTokens },
                IsCounted = true,
            },
            new("reserve_tokens", "tokens") { IfUnreadable = new() { ["reserve_tokens"] = DBNull.Value } },
            // An empty declaration has the reconciler register another one.
            new("removal_key", "removal") { IfUnreadable = new() { ["removal_key"] = "", ["declaration"] = "" } })
        {
            Reset = new() { ["refresh_owner"] = DBNull.Value, ["refresh_until"] = 0L },
        },
        new("work", new SealedColumn("payload", "install") { KindPrefix = "install:" })
        {
            Reset = new() { ["lease_by"] = DBNull.Value, ["lease_till"] = 0L },
        },
        new("worker_hours"),
        new("heartbeats"),
        new("inbox", new SealedColumn("payload", "event")),
        new("apps",
            new("secret", "app"),
            new("previous_secret", "app") { IfUnreadable = new() { ["previous_secret"] = DBNull.Value } }),
    ];
}

/// <summary>A row whose value cannot be read is left behind, or changed.</summary>
internal sealed record SealedColumn(string Name, string Purpose)
{
    public Dictionary<string, object>? IfUnreadable { get; init; }

    public bool IsCounted { get; init; }

    public string? KindPrefix { get; init; }
}

internal sealed class MovedRows(TokenVault from, TokenVault to, MovedTable table, IReadOnlyList<string> columns)
{
    private readonly Dictionary<string, int> _indexes = columns.Select((name, index) => (name, index))
        .ToDictionary(c => c.name, c => c.index);

    public int Unreadable { get; private set; }

    public bool Change(object[] row)
    {
        foreach (var (name, value) in table.Reset)
            row[_indexes[name]] = value;
        foreach (var column in table.Sealed)
        {
            if (row[_indexes[column.Name]] is not string { Length: > 0 } value
                || (column.KindPrefix is { } prefix && !Text(row, "kind").StartsWith(prefix, StringComparison.Ordinal)))
                continue;
            if (Reseal(row, column.Purpose, value) is { } again)
            {
                row[_indexes[column.Name]] = again;
                continue;
            }

            if (column.IfUnreadable is null)
                return false;
            foreach (var (name, changed) in column.IfUnreadable)
                row[_indexes[name]] = changed;
            Unreadable += column.IsCounted ? 1 : 0;
        }

        return true;
    }

    private string? Reseal(object[] row, string purpose, string value)
    {
        if (!_indexes.ContainsKey("member_id"))
            return from.Unprotect(Text(row, "name"), purpose, value) is { } secret ? to.Protect(Text(row, "name"), purpose, secret) : null;
        if (!PortalId.IsMemberId(Text(row, "member_id")))
            return null;
        var id = new PortalId(Text(row, "member_id"), Text(row, "app"));
        return from.Unprotect(id, purpose, value) is { } opened ? to.Protect(id, purpose, opened) : null;
    }

    private string Text(object[] row, string column) => row[_indexes[column]] as string ?? "";
}
