using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Bitrix24Placements.PortalSimulator;

/// <summary>A REST call that has been accepted: the token is valid, the app has the permission.</summary>
/// <param name="Method">In lower case, without <c>.json</c>.</param>
/// <param name="Parameters">As they came, without <c>auth</c>. Bitrix24 does not care about the case of their names.</param>
/// <param name="UserId">Whose token it was.</param>
public sealed record MethodCall(string Method, JsonObject Parameters, int UserId, SimPortal Portal, SimApp App)
{
    /// <summary>A scalar parameter as text, in whatever case its name was written; null when it is not there.</summary>
    public string? Text(string name) => Parameters.FindText(name);
}

/// <summary>Thrown by a method of one's own: the call is answered with this error.</summary>
public sealed class RestRefusedException(string code, string? description = null, int status = 400) : Exception(description ?? code)
{
    public string Code => code;

    public int Status => status;
}

/// <summary>
/// REST methods of one's own, on all portals, new ones or in place of those that the simulator knows:
/// <code>bitrix.Methods["crm.deal.get"] = call => new JsonObject { ["ID"] = call.Text("id"), ["TITLE"] = "A deal" };</code>
/// What is returned becomes <c>result</c>; <see cref="RestRefusedException"/> becomes an error. Tokens, permissions and limits are
/// looked at before, and the call is in <see cref="SimPortal.Calls"/>.
/// </summary>
public sealed class RestMethods
{
    // Written by hand.
    private static readonly JsonDocumentOptions Lenient = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    private readonly ConcurrentDictionary<string, Func<MethodCall, JsonNode?>> _own = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Setting null gives the simulator's own method back.</summary>
    public Func<MethodCall, JsonNode?>? this[string method]
    {
        get => _own.GetValueOrDefault(method);
        set
        {
            if (value is null) _own.TryRemove(method, out _);
            else _own[method] = value;
        }
    }

    /// <summary>Forgets all of them.</summary>
    public void Clear() => _own.Clear();

    /// <summary>
    /// <c>{"crm.deal.get": {"ID": "5"}, "some.method": {"error": "CODE", "error_description": "…", "status": 403}}</c>: for each method
    /// the result that every call gets, or the error.
    /// </summary>
    /// <exception cref="JsonException">The text is no JSON object.</exception>
    public void Load(string json)
    {
        if (JsonNode.Parse(json, documentOptions: Lenient) is not JsonObject methods)
            throw new JsonException("An object is expected, with the name of a method before each answer.");
        foreach (var (method, answer) in methods)
            this[method] = _ => answer is JsonObject refusal && refusal.ContainsKey("error") ? throw Refusal(refusal) : answer?.DeepClone();
    }

    private static RestRefusedException Refusal(JsonObject refusal) => new(
        PhpForm.Text(refusal["error"]) ?? "ERROR", PhpForm.Text(refusal["error_description"]), (int?)refusal["status"] ?? 400);
}
