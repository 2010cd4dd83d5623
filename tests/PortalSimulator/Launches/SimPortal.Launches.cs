using System.Globalization;
using System.Text.Json.Nodes;

namespace Bitrix24Placements.PortalSimulator;

public sealed partial class SimPortal
{
    /// <summary>What a page of this portal would post for a placement.</summary>
    /// <param name="uri">The page the user is on; absent without a Referer.</param>
    /// <param name="handler">Where to, when nothing is registered or somewhere else is meant.</param>
    public LaunchForm LaunchFields(
        string placement, int userId = 1, string? lang = null, JsonObject? options = null, string? uri = null, string? handler = null, SimApp? app = null)
    {
        var target = handler ?? HandlerOf(placement, userId) ?? throw new InvalidOperationException($"{placement} is not registered on {Name}.");
        var tokens = IssueTokens(userId, app: app);
        return new LaunchForm
        {
            Handler = new Uri(new Uri(target).GetLeftPart(UriPartial.Path)),
            Query = LaunchQuery(target, lang ?? User(userId).Language),
            Body = LaunchBody(placement, tokens, LaunchOptions(placement, options, uri), app ?? App),
        };
    }

    /// <summary>The install wizard or the app's own page: <c>PLACEMENT=DEFAULT</c>.</summary>
    public LaunchForm InstallFields(int userId = 1, string? lang = null, string? handler = null, SimApp? app = null) =>
        LaunchFields(Catalogue.Default, userId, lang, handler: handler ?? App.InstallUrl, app: app);

    /// <summary>A click on a deep link, <c>/marketplace/view/{code}/?params[docId]=42</c>; null when it does not lead to this app.</summary>
    public LaunchForm? LinkFields(string path, int userId = 1, string? lang = null, string? uri = null, string? handler = null)
    {
        const string View = "/marketplace/view/";
        var parts = path.Split('?', 2);
        var query = PhpForm.ParseQuery(parts.Length == 2 ? parts[1] : "");
        if (!parts[0].StartsWith(View, StringComparison.Ordinal)) return null;
        var code = Uri.UnescapeDataString(parts[0][View.Length..].Trim('/'));
        if ((code.Length == 0 ? query.FindText("APP") : code) != App.ClientId) return null;
        return LaunchFields(Catalogue.Link, userId, lang, query.Find("params") as JsonObject, uri, handler);
    }

    internal string? HandlerOf(string placement, int userId)
    {
        if (placement == Catalogue.Default) return App.InstallFinished ? App.AppUrl : App.InstallUrl;
        lock (_gate)
        {
            return _placements.Find(registered =>
                registered.ClientId == App.ClientId && registered.Placement == placement && (registered.UserId == 0 || registered.UserId == userId))?.Handler;
        }
    }

    private static JsonObject LaunchOptions(string placement, JsonObject? options, string? uri)
    {
        var all = (JsonObject?)options?.DeepClone() ?? [];
        if (placement == Catalogue.Worker)
        {
            all.TryAdd("ID", placement);
            all.TryAdd("URI", uri ?? "/stream/");
        }
        else if (uri is not null && placement != Catalogue.Default)
        {
            // A URI among the app's own parameters is left alone.
            all.TryAdd("URI", uri);
        }
        return all;
    }

    private Dictionary<string, string> LaunchQuery(string handler, string lang)
    {
        var query = PhpForm.Flatten(PhpForm.ParseQuery(new Uri(handler).Query)).ToDictionary();
        query["DOMAIN"] = Domain;
        query["PROTOCOL"] = "0";
        query["LANG"] = lang;
        query["APP_SID"] = Secrets.New(32);
        return query;
    }

    private Dictionary<string, string> LaunchBody(string placement, IssuedTokens tokens, JsonObject options, SimApp app)
    {
        var body = new Dictionary<string, string>
        {
            ["AUTH_ID"] = tokens.Access,
            ["AUTH_EXPIRES"] = tokens.ExpiresIn.ToString(CultureInfo.InvariantCulture),
            ["REFRESH_ID"] = tokens.Refresh,
        };
        if (!Quirks.OldPortal)
        {
            body["SERVER_ENDPOINT"] = Bitrix.OAuth.ServerEndpoint;
            body["APPLICATION_TOKEN"] = app.ApplicationToken;
            body["APPLICATION_SCOPE"] = app.ScopeText;
        }
        body["member_id"] = MemberId;
        body["status"] = "L";
        body["PLACEMENT"] = placement;
        if (options.Count > 0)
            body["PLACEMENT_OPTIONS"] = PhpForm.WithLists(options)!.ToJsonString().Replace("/", "\\/", StringComparison.Ordinal);
        else if (Quirks.EmptyOptionsAsArray)
            body["PLACEMENT_OPTIONS"] = "[]";
        return body;
    }
}
