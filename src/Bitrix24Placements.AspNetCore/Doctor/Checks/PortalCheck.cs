using System.Text.Json;
using System.Text.Json.Nodes;
using Bitrix24Placements.Portals;

namespace Bitrix24Placements.Doctor.Checks;

/// <summary>Tokens and permissions.</summary>
internal sealed class PortalCheck(RestClient rest) : ICheck
{
    public const string Name = "portal";

    private static readonly string[] Scopes = ["placement", "pull"];

    public string Id => Name;

    public IReadOnlyList<string> Needs => [TokenKeysCheck.Name, AppKeysCheck.Name];

    public async Task<IReadOnlyList<Finding>> RunAsync(Examination examination, CancellationToken cancellationToken)
    {
        if (examination.Portal is not { } portal)
            return Finding.Note("portal.none");
        if (portal.State != PortalState.Installed)
            return Finding.One("portal.unknown", $"{portal.Id}: {portal.State}");
        if (portal.TokenState == TokenState.Dead)
            return Finding.One("portal.tokens", $"{portal.Id}");
        var answer = await rest.AskAsync(portal, "scope", null, cancellationToken);
        if (!answer.Ok)
            return Finding.One(answer.Error.Kind == RestErrorKind.NoTokens ? "portal.tokens" : "portal.refused",
                $"{portal.ClientEndpoint.Host}: scope, {answer.Error.Code}");
        string[] granted = answer.Value.ValueKind == JsonValueKind.Array
            ? [.. answer.Value.EnumerateArray().Select(static s => s.ToString())] : [];
        string[] missing = [.. Scopes.Except(granted)];
        return missing is [] ? Finding.None : Finding.One("scope.missing", $"{portal.ClientEndpoint.Host}: {string.Join(", ", missing)}");
    }
}

internal static class PortalCalls
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(5);

    public static Task<RestResult<JsonElement>> AskAsync(
        this RestClient rest, Portal portal, string method, JsonObject? parameters, CancellationToken cancellationToken) =>
        rest.CallAsync(portal.Id, RestCall.Own(method, parameters) with { Deadline = Deadline, Repeat = Repeat.Safe }, cancellationToken);
}
