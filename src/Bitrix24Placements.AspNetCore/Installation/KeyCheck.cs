using Bitrix24Placements.Apps;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Rest;

namespace Bitrix24Placements.Installation;

/// <summary>At every installation: a wrong secret would otherwise show an hour later, at the first refresh.</summary>
internal sealed partial class KeyCheck(OAuthClient oauth, AppRegistry apps, KeyTroubles troubles, ILogger<KeyCheck> logger)
{
    public async Task CheckAsync(Portal portal, CancellationToken cancellationToken)
    {
        if (apps.Find(portal.Id.App) is not { } app)
            return;
        var verdict = await oauth.TestKeysAsync(app, portal.OAuthServer, cancellationToken);
        if (verdict == KeysVerdict.Wrong)
            Log.Wrong(logger, app.Name, app.ClientId);
        if (verdict != KeysVerdict.NotKnown)
            troubles.Note(app.Name, verdict == KeysVerdict.Wrong);
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error,
            "Bitrix24 does not take the ClientSecret of the app {App} ({ClientId}): "
            + "what is installed works for an hour, until its tokens have to be refreshed")]
        public static partial void Wrong(ILogger logger, string app, string clientId);
    }
}
