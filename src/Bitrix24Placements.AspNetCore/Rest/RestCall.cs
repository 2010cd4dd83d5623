using Bitrix24Placements.Rest;

namespace Bitrix24Placements;

/// <summary>Whether a call may be sent again when nobody knows if it was carried out.</summary>
public enum Repeat
{
    /// <summary>By the method's name: <c>….get</c>, <c>….list</c>, <c>….fields</c>, <c>profile</c> and the like read, all others do
    /// not.</summary>
    ByName,

    /// <summary>Carrying it out twice does no harm.</summary>
    Safe,

    Never,
}

/// <param name="Method">E.g. <c>crm.deal.get</c>.</param>
/// <param name="Parameters">By their wire names.</param>
public sealed record RestCall(string Method, JsonObject? Parameters = null)
{
    public Repeat Repeat { get; init; } = Repeat.ByName;

    /// <summary>For all attempts together, waiting for the portal's limits included.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(90);

    /// <summary>An answer of this size or more is an error. A 48th of the memory that the process may use at most, and 16 MB.</summary>
    public int MaxAnswerBytes { get; init; } = AnswerReader.MaxBytes;

    /// <summary>What an employee's token cannot do.</summary>
    internal bool RequiresAdministrator => Method is "placement.bind" or "placement.unbind" or "event.bind" or "event.unbind";

    /// <summary>Does not wait behind calls of handlers and backends, nor behind those of users.</summary>
    internal bool IsOwn { get; init; }

    internal bool MayRepeat => Repeat == Repeat.Safe || (Repeat == Repeat.ByName && Reads);

    private bool Reads => Method is "profile" or "app.info" or "user.current" or "scope" or "methods" or "server.time"
        || Method[Math.Max(0, Method.LastIndexOf('.'))..] is ".get" or ".list" or ".fields";

    internal static RestCall Own(string method, JsonObject? parameters = null) => new(method, parameters)
    {
        IsOwn = true,
        MaxAnswerBytes = method is "profile" or "app.info" ? AnswerReader.SmallBytes : 1024 * 1024,
    };
}
