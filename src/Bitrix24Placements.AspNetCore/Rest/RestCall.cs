using System.Text.Json.Nodes;

namespace Bitrix24Placements;

/// <summary>Whether a call may be sent again when nobody knows if it was carried out.</summary>
public enum Repeat
{
    /// <summary>By the method's name: <c>….get</c>, <c>….list</c>, <c>….fields</c>, <c>profile</c> and the like read, all others do not.</summary>
    ByName,

    /// <summary>Carrying it out twice does no harm.</summary>
    Safe,

    Never,
}

/// <summary>One call of a REST method.</summary>
/// <param name="Method">E.g. <c>crm.deal.get</c>.</param>
/// <param name="Parameters">The method's parameters by their wire names.</param>
public sealed record RestCall(string Method, JsonObject? Parameters = null)
{
    public Repeat Repeat { get; init; } = Repeat.ByName;

    /// <summary>For all attempts together, waiting for the portal's limits included.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(90);

    internal bool MayRepeat => Repeat == Repeat.Safe || (Repeat == Repeat.ByName && Reads);

    private bool Reads => Method is "profile" or "app.info" or "user.current" or "scope" or "methods" or "server.time"
        || Method.EndsWith(".get", StringComparison.Ordinal) || Method.EndsWith(".list", StringComparison.Ordinal) || Method.EndsWith(".fields", StringComparison.Ordinal);
}
