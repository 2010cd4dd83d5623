namespace Bitrix24Placements.Storage;

/// <param name="Change">Secrets come under the new keys, leases stay behind. False: the row cannot be read, and is left behind.</param>
internal sealed record MovedTable(string Name, Func<MovedRow, bool> Change)
{
    // TokenState.Dead: an administrator's page brings new ones.
    private const long DeadTokens = 3;

    public static readonly IReadOnlyList<MovedTable> All =
    [
        new("portals", Portal),
        new("work", row =>
        {
            (row["lease_by"], row["lease_till"]) = (DBNull.Value, 0L);
            return !row.Text("kind").StartsWith("install:", StringComparison.Ordinal) || row.Reseal("payload", "install");
        }),
        new("worker_hours", _ => true),
        new("heartbeats", _ => true),
        new("inbox", row => row.Reseal("payload", "event")),
        new("apps", row =>
        {
            if (!row.Reseal("previous_secret", "app"))
                row["previous_secret"] = DBNull.Value;
            return row.Reseal("secret", "app");
        }),
    ];

    private static bool Portal(MovedRow row)
    {
        (row["refresh_owner"], row["refresh_until"]) = (DBNull.Value, 0L);
        if (!row.Reseal("tokens", "tokens"))
        {
            (row["tokens"], row["tokens_state"]) = (DBNull.Value, DeadTokens);
            row.Unreadable++;
        }

        if (!row.Reseal("reserve_tokens", "tokens"))
            row["reserve_tokens"] = DBNull.Value;
        // Without a declaration the reconciler registers another one.
        if (!row.Reseal("removal_key", "removal"))
            (row["removal_key"], row["declaration"]) = ("", "");
        return true;
    }
}

internal sealed class MovedRow(TokenVault from, TokenVault to, IReadOnlyList<string> columns)
{
    private readonly Dictionary<string, int> _indexes = columns.Index().ToDictionary(c => c.Item, c => c.Index);

    public object[] Values { get; } = new object[columns.Count];

    public int Unreadable { get; set; }

    public object this[string column]
    {
        get => Values[_indexes[column]];
        set => Values[_indexes[column]] = value;
    }

    public string Text(string column) => this[column] as string ?? "";

    public bool Reseal(string column, string purpose)
    {
        if (Text(column) is not { Length: > 0 } value)
            return true;
        string? again = null;
        if (!_indexes.ContainsKey("member_id"))
            again = from.Unprotect(Text("name"), purpose, value) is { } secret ? to.Protect(Text("name"), purpose, secret) : null;
        else if (PortalId.IsMemberId(Text("member_id")) && new PortalId(Text("member_id"), Text("app")) is var id)
            again = from.Unprotect(id, purpose, value) is { } opened ? to.Protect(id, purpose, opened) : null;
        if (again is not null)
            this[column] = again;
        return again is not null;
    }
}
