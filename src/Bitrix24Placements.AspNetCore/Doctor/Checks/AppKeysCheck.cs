using Bitrix24Placements.Apps;
using Bitrix24Placements.Rest;

namespace Bitrix24Placements.Doctor.Checks;

internal sealed class AppKeysCheck(AppRegistry apps, OAuthClient oauth, HostRules hosts) : Check(Name)
{
    public const string Name = "appKeys";

    /// <summary>Whoever has more knows them by their names: <c>app list</c>.</summary>
    private const int MaxApps = 50;

    public override async Task<IReadOnlyList<Finding>> RunAsync(Examination examination, CancellationToken cancellationToken)
    {
        if (!apps.HasAny)
            return Finding.One("keys.missing", apps.MissingKey ?? "Bitrix24:ClientId, Bitrix24:ClientSecret");
        var server = examination.Portal?.OAuthServer ?? hosts.OAuthServers[0];
        var asked = apps.All.Where(a => examination.Asked is not { } portal || portal.App == a.Name).Take(MaxApps);
        var findings = await Task.WhenAll(asked.Select(async app =>
            (App: app, Verdict: await oauth.TestKeysAsync(app, server, cancellationToken))));
        return [.. findings.Where(f => f.Verdict != KeysVerdict.Right).Select(f =>
            new Finding(f.Verdict == KeysVerdict.Wrong ? "keys.wrong" : "oauth.silent", $"{server.Host}: {f.App.Name}, {f.App.ClientId}"))];
    }
}
