using System.Text.Json.Nodes;

namespace Bitrix24Placements.PortalSimulator;

/// <summary>One REST request as it arrived.</summary>
public sealed class RestCall
{
    internal RestCall(string method, JsonObject parameters, DateTimeOffset at) => (Method, Params, At) = (method, parameters, at);

    public string Method { get; }

    /// <summary>Without <c>auth</c>.</summary>
    public JsonObject Params { get; }

    /// <summary>By the clock of <see cref="Bitrix24.Time"/>.</summary>
    public DateTimeOffset At { get; }

    public string UserAgent { get; internal init; } = "";

    /// <summary>Whose token it was, also of a dead one; null when the token is unknown here.</summary>
    public int? UserId { get; internal init; }

    public string? ClientId { get; internal init; }

    /// <summary><c>ok</c>, the error code, or the name of the fault that kept it from being done; null while it is in progress.</summary>
    public string? Outcome { get; internal set; }

    public override string ToString() => $"{Method} by {(UserId is { } id ? $"{id}" : "?")}: {Outcome ?? "…"}";
}
