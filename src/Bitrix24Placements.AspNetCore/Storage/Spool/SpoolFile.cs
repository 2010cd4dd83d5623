namespace Bitrix24Placements.Storage;

/// <summary>An entry's name: its order, its kind, and whose share it takes, as short hashes.</summary>
internal sealed record SpoolFile(string Name, string Kind, string KeyShare, string AddressShare)
{
    public const string NoAddress = "none";

    /// <summary>Instead of an address: known by his application token.</summary>
    public const string Known = "known";

    /// <summary>Of one who is known: whoever could confirm what he says is away.</summary>
    public const string Unanswered = "unanswered";

    private const string Extension = "spool";

    private static int _last;

    public static SpoolFile New(string kind, string key, string? address, DateTimeOffset now)
    {
        var order = string.Create(CultureInfo.InvariantCulture, $"{now.UtcTicks:x16}{(uint)Interlocked.Increment(ref _last):x8}");
        // What waits for a silent portal keeps nothing else of it waiting.
        var keyShare = KeyShareOf(kind, address == Unanswered ? $"{key} {Unanswered}" : key);
        var addressShare = address switch { null => NoAddress, Known or Unanswered => address, _ => ShortHash.Of("address:" + address) };
        return new($"{order}{Guid.NewGuid():n}.{kind}.{keyShare}.{addressShare}.{Extension}", kind, keyShare, addressShare);
    }

    public static string KeyShareOf(string kind, string key) => ShortHash.Of("key:" + kind + ":" + key);

    /// <summary>When it was put there; the epoch where its name does not say it.</summary>
    public DateTimeOffset KeptAt => Name.Length > 16
        && long.TryParse(Name.AsSpan(0, 16), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var ticks)
        && ticks >= 0 && ticks < DateTimeOffset.MaxValue.UtcTicks ? new(ticks, TimeSpan.Zero) : DateTimeOffset.UnixEpoch;

    /// <summary>Nobody has to be asked who may not answer.</summary>
    public bool IsKnown => AddressShare is NoAddress or Known;

    public bool IsOfStranger => AddressShare is not (NoAddress or Known or Unanswered);

    public static SpoolFile? Parse(string name) =>
        name.Split('.') is [_, var kind, var key, var address, Extension] ? new(name, kind, key, address) : null;
}
