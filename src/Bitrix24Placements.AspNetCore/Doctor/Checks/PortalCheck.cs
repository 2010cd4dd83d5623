using Bitrix24Placements.Portals;

namespace Bitrix24Placements.Doctor.Checks;

/// <summary>Tokens and permissions.</summary>
internal sealed class PortalCheck(RestClient rest) : CheckOfPortal(Name, TokenKeysCheck.Name, AppKeysCheck.Name)
{
    public const string Name = "portal";

    private static readonly string[] Scopes = ["placement", "pull"];

    protected override async Task<IReadOnlyList<Finding>> RunAsync(Portal portal, CancellationToken cancellationToken)
    {
        if (portal.State != PortalState.Installed)
            return Finding.One("portal.unknown", $"{portal.Id}: {portal.State}");
        if (portal.TokenState == TokenState.Dead)
            return Finding.One("portal.tokens", $"{portal.Id}");
        var answer = await AskAsync(rest, portal, "scope", null, cancellationToken);
        if (!answer.Ok)
            return answer.Error.Kind == RestErrorKind.NoTokens
                ? Finding.One("portal.tokens", $"{portal.Id}") : Refused(portal, "scope", answer.Error);
        string[] granted = answer.Value.ValueKind == JsonValueKind.Array
            ? [.. answer.Value.EnumerateArray().Select(s => s.ToString())] : [];
        string[] missing = [.. Scopes.Except(granted)];
        return missing is [] ? Finding.None : Finding.One("scope.missing", $"{portal.ClientEndpoint.Host}: {string.Join(", ", missing)}");
    }
}
