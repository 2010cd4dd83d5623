using System.Globalization;
using System.Text.Json.Nodes;

namespace Bitrix24Placements.PortalSimulator;

public sealed partial class SimPortal
{
    /// <summary>What a page of this portal would post for a placement.</summary>
    /// <param name="uri">The page the user is on; absent without a Referer.</param>
    /// <param name="handler">Where to, when nothing is registered or somewhere else is meant.</param>
    /// <param name="app">The default app, unless another is meant.</param>
    public LaunchForm LaunchFields(
        string placement,
        int userId = 1,
        string? lang = null,
        JsonObject? options = null,
        string? uri = null,
        string? handler = null,
        SimApp? app = null)
    {
        app ??= App;
        var target = handler ?? HandlerOf(placement, userId, app)
            ?? throw new InvalidOperationException($"{placement} is not registered on {Name}.");
        var tokens = IssueTokens(userId, app: app);
        return new LaunchForm
        {
            Handler = new Uri(new Uri(target).GetLeftPart(UriPartial.Path)),
            Query = LaunchQuery(target, lang ?? User(userId).Language),
            Body = LaunchBody(placement, tokens, LaunchOptions(placement, options, uri), app),
        };
    }

    /// <summary>The install wizard or the app's own page: <c>PLACEMENT=DEFAULT</c>.</summary>
    public LaunchForm InstallFields(int userId = 1, string? lang = null, string? handler = null, SimApp? app = null) =>
        LaunchFields(Catalogue.Default, userId, lang, handler: handler ?? (app ?? App).InstallUrl, app: app);

    /// <summary>
    /// A click on a deep link, <c>/marketplace/view/{code}/?params[docId]=42</c>; null when it leads to no app of this portal.
    /// </summary>
    public LaunchForm? LinkFields(
        string path, int userId = 1, string? lang = null, string? uri = null, string? handler = null)
    {
        const string View = "/marketplace/view/";
        var parts = path.Split('?', 2);
        var query = PhpForm.ParseQuery(parts.Length == 2 ? parts[1] : "");
        if (!parts[0].StartsWith(View, StringComparison.Ordinal)) return null;
        var code = Uri.UnescapeDataString(parts[0][View.Length..].Trim('/'));
        if (code.Length == 0) code = query.FindText("APP");
        return Apps.FirstOrDefault(app => app.Code == code) is { } app
            ? LaunchFields(Catalogue.Link, userId, lang, query.Find("params") as JsonObject, uri, handler, app)
            : null;
    }

    internal string? HandlerOf(string placement, int userId, SimApp app)
    {
        if (placement == Catalogue.Default) return app.InstallFinished ? app.AppUrl : app.InstallUrl;
        lock (_gate)
        {
            return _placements.Find(one =>
                one.ClientId == app.ClientId && one.Placement == placement && (one.UserId == 0 || one.UserId == userId))?.Handler;
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
