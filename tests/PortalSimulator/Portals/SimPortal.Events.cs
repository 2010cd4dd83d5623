using System.Globalization;
using System.Text.Json.Nodes;

namespace Bitrix24Placements.PortalSimulator;

public sealed partial class SimPortal
{
    /// <summary>
    /// Posts an event whether it is true or not: to <paramref name="url"/>; else ONAPPINSTALL and ONAPPUSERREADY to the address used
    /// for the installation, and any other to all handlers that <c>event.bind</c> has bound. Nothing is repeated.
    /// </summary>
    /// <param name="data">Becomes <c>data[…]</c>, such as <c>{"FIELDS":{"ID":5}}</c>; null: what is usual for that event.</param>
    /// <param name="userId">Whose tokens are in <c>auth</c>: who did it.</param>
    /// <param name="app">Null: the default app; for an event that is not an app's own, every app that has bound it.</param>
    public async Task<IReadOnlyList<Delivery>> SendEventAsync(
        string name,
        JsonObject? data = null,
        string? url = null,
        int userId = 1,
        SimApp? app = null,
        CancellationToken cancellationToken = default)
    {
        if (app is null && url is null && !IsOwn(name))
        {
            var all = new List<Delivery>();
            foreach (var one in Apps.Where(one => one.Speaks))
                all.AddRange(await SendEventAsync(name, data, null, userId, one, cancellationToken));
            return all;
        }
        app ??= App;
        var fields = EventFields(name, userId, data, app);
        if (url is null && name.ToUpperInvariant() is "ONAPPINSTALL" or "ONAPPUSERREADY") url = app.InstallUrl;
        return url is null
            ? await PostAllAsync(Handlers(name, app), fields, name, cancellationToken)
            : [await PostAsync(url, fields, name, cancellationToken)];
    }

    /// <summary>The body of an event, for a test to change before it posts it.</summary>
    public Dictionary<string, string> EventFields(string name, int userId = 1, JsonObject? data = null, SimApp? app = null)
    {
        app ??= App;
        var own = name.ToUpperInvariant();
        data ??= own == "ONAPPUSERREADY" ? UserReadyData(app) : UsualData(own, userId, app);
        var fields = PhpForm.Flatten(new JsonObject { ["data"] = data.DeepClone() }).ToDictionary();
        fields["event"] = name;
        fields["event_handler_id"] = "1";
        fields["ts"] = Text(Bitrix.Time.GetUtcNow().ToUnixTimeSeconds());
        if (own != "ONAPPUNINSTALL") AddTokens(fields, userId, app);
        AddPortal(fields, app);
        return fields;
    }

    /// <summary>What the Market's check does: HEAD to every address that the app has. It takes 200, 301 and 302.</summary>
    public async Task<IReadOnlyList<Delivery>> CheckAddressesAsync(SimApp? app = null, CancellationToken cancellationToken = default)
    {
        app ??= App;
        var registered = Placements.Where(one => one.ClientId == app.ClientId).Select(one => one.Handler);
        var bound = EventHandlers.Where(one => one.ClientId == app.ClientId).Select(one => one.Handler);
        var answers = new List<Delivery>();
        foreach (var url in new[] { app.InstallUrl, app.AppUrl }.Concat(registered).Concat(bound).Distinct())
            answers.Add(await AskAsync(HttpMethod.Head, url, null, "HEAD", cancellationToken));
        return answers;
    }

    /// <summary>In the background, as the portal's queue does it: whoever called a method does not wait for handlers.</summary>
    internal void Tell(string name, JsonObject data, int userId, SimApp? app = null) =>
        _ = SendEventAsync(name, data, userId: userId, app: app, cancellationToken: Bitrix.Stopping);

    // Those that speak of one app: of itself, or of the portal's test.
    private static bool IsOwn(string name) => name.StartsWith("ONAPP", StringComparison.OrdinalIgnoreCase);

    private JsonObject UsualData(string name, int userId, SimApp app)
    {
        if (name == "ONAPPTEST") return new JsonObject { ["QUERY"] = new JsonObject() };
        if (name == "ONAPPUNINSTALL") return new JsonObject { ["LANGUAGE_ID"] = User(userId).Language, ["CLEAN"] = "1" };
        if (!IsOwn(name)) return new JsonObject { ["FIELDS"] = new JsonObject { ["ID"] = Records.Deals.FirstId } };
        var data = new JsonObject { ["VERSION"] = app.Version, ["LANGUAGE_ID"] = User(userId).Language };
        if (name == "ONAPPINSTALL")
        {
            data["ACTIVE"] = "Y";
            data["INSTALLED"] = app.InstallFinished ? "Y" : "N";
        }
        if (name == "ONAPPUPDATE") data["PREVIOUS_VERSION"] = app.Version - 1;
        return data;
    }

    // "domain" is the OAuth server's, as in a refresh.
    private JsonObject UserReadyData(SimApp app)
    {
        var user = SystemUser(app);
        var tokens = IssueTokens(user.Id, app: app);
        return new JsonObject
        {
            ["access_token"] = tokens.Access,
            ["refresh_token"] = tokens.Refresh,
            ["expires_in"] = tokens.ExpiresIn,
            ["scope"] = app.ScopeText,
            ["domain"] = Bitrix.OAuth.Domain,
            ["server_endpoint"] = Bitrix.OAuth.ServerEndpoint,
            ["client_endpoint"] = ClientEndpoint,
            ["member_id"] = MemberId,
            ["user_id"] = user.Id,
            ["client_id"] = app.ClientId,
            ["status"] = "L",
            ["LANGUAGE_ID"] = user.Language,
            ["date_finish"] = "",
        };
    }

    private void AddTokens(Dictionary<string, string> fields, int userId, SimApp app)
    {
        var tokens = IssueTokens(userId, app: app);
        fields["auth[access_token]"] = tokens.Access;
        fields["auth[refresh_token]"] = tokens.Refresh;
        fields["auth[expires]"] = Text(tokens.Expires.ToUnixTimeSeconds());
        fields["auth[expires_in]"] = Text(tokens.ExpiresIn);
        fields["auth[scope]"] = app.ScopeText;
        fields["auth[status]"] = "L";
        fields["auth[user_id]"] = Text(userId);
    }

    private void AddPortal(Dictionary<string, string> fields, SimApp app)
    {
        fields["auth[domain]"] = Domain;
        fields["auth[server_endpoint]"] = Bitrix.OAuth.ServerEndpoint;
        fields["auth[client_endpoint]"] = ClientEndpoint;
        fields["auth[member_id]"] = MemberId;
        fields["auth[application_token]"] = app.ApplicationToken;
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
