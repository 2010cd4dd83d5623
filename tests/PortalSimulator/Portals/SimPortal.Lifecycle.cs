using System.Globalization;

namespace Bitrix24Placements.PortalSimulator;

public sealed partial class SimPortal
{
    /// <summary>The administrator saves the app's form. An API-only app is announced, once; the other one waits for its wizard.</summary>
    public async Task<Delivery?> InstallAsync(bool apiOnly = false, int userId = 1, CancellationToken cancellationToken = default)
    {
        Forget();
        App.NewApplicationToken();
        App.ApiOnly = apiOnly;
        App.InstallFinished = apiOnly;
        App.Installed = true;
        return apiOnly ? (await SendEventAsync("ONAPPINSTALL", userId: userId, cancellationToken: cancellationToken)).Single() : null;
    }

    public void FinishInstall() => App.InstallFinished = App.Installed;

    /// <summary>A new version: handlers and placements are gone, the application token is another.</summary>
    public async Task<IReadOnlyList<Delivery>> UpdateAsync(int userId = 1, CancellationToken cancellationToken = default)
    {
        var handlers = Handlers("ONAPPUPDATE");
        Forget();
        App.NewApplicationToken();
        App.Version++;
        return await PostAllAsync(handlers, EventFields("ONAPPUPDATE", userId), "ONAPPUPDATE", cancellationToken);
    }

    public async Task<IReadOnlyList<Delivery>> UninstallAsync(bool clean = true, CancellationToken cancellationToken = default)
    {
        var handlers = Handlers("ONAPPUNINSTALL");
        var fields = EventFields("ONAPPUNINSTALL");
        fields["data[CLEAN]"] = clean ? "1" : "0";
        UninstallSilently();
        return await PostAllAsync(handlers, fields, "ONAPPUNINSTALL", cancellationToken);
    }

    /// <summary>Removes the app without an event, as one that got lost. <see cref="SendEventAsync"/> can bring it later.</summary>
    public void UninstallSilently()
    {
        Forget();
        App.Remove();
    }

    /// <summary>Deletes the worker's registrations, and tells the <c>errorHandlerUrl</c> of each.</summary>
    public async Task<IReadOnlyList<Delivery>> RemoveWorkerAsync(bool notify = true, CancellationToken cancellationToken = default)
    {
        var removed = WithPlacements(placements =>
        {
            var workers = placements.FindAll(placement => placement.Placement == Catalogue.Worker);
            placements.RemoveAll(workers.Contains);
            return workers;
        });
        SlowLoads.Reset();
        var urls = removed.Select(worker => worker.Options.FindText("errorHandlerUrl")).OfType<string>().Where(_ => notify).ToList();
        return await PostAllAsync(urls, RemovalFields(), "ERROR_PLACEMENT_LOADING_OVERTIME", cancellationToken);
    }

    /// <summary>What the portal's page measured. True when it cost the worker its registration.</summary>
    public async Task<bool> ReportWorkerLoadAsync(double milliseconds, CancellationToken cancellationToken = default)
    {
        if (!SlowLoads.Add(TimeSpan.FromMilliseconds(milliseconds))) return false;
        await RemoveWorkerAsync(notify: true, cancellationToken);
        return true;
    }

    /// <summary>Posts an event whether it is true or not: to <paramref name="url"/>, else where Bitrix24 would.</summary>
    public Task<IReadOnlyList<Delivery>> SendEventAsync(
        string name, string? url = null, int userId = 1, CancellationToken cancellationToken = default)
    {
        IReadOnlyList<string> urls = url is not null ? [url]
            : name.Equals("ONAPPINSTALL", StringComparison.OrdinalIgnoreCase) ? [App.InstallUrl]
            : Handlers(name);
        return PostAllAsync(urls, EventFields(name, userId), name, cancellationToken);
    }

    /// <summary>The body of an event, for a test to change before it posts it.</summary>
    public Dictionary<string, string> EventFields(string name, int userId = 1)
    {
        var fields = new Dictionary<string, string>
        {
            ["event"] = name,
            ["data[VERSION]"] = App.Version.ToString(CultureInfo.InvariantCulture),
            ["data[LANGUAGE_ID]"] = User(userId).Language,
            ["ts"] = Bitrix.Time.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture),
        };
        if (name.Equals("ONAPPUNINSTALL", StringComparison.OrdinalIgnoreCase))
        {
            fields.Remove("data[VERSION]");
            fields["data[CLEAN]"] = "1";
        }
        else
        {
            AddTokens(fields, userId);
            AddVersion(fields, name.ToUpperInvariant());
        }
        AddPortal(fields);
        return fields;
    }

    private void AddVersion(Dictionary<string, string> fields, string name)
    {
        if (name == "ONAPPINSTALL")
        {
            fields["data[ACTIVE]"] = "Y";
            fields["data[INSTALLED]"] = App.InstallFinished ? "Y" : "N";
        }
        else if (name == "ONAPPUPDATE")
        {
            fields["data[PREVIOUS_VERSION]"] = (App.Version - 1).ToString(CultureInfo.InvariantCulture);
        }
    }

    private Dictionary<string, string> RemovalFields()
    {
        var fields = new Dictionary<string, string>
        {
            ["error"] = "ERROR_PLACEMENT_LOADING_OVERTIME",
            ["error_description"] = $"Placement {Catalogue.Worker} was removed: it loaded longer than 5 seconds more than 10 times.",
        };
        AddPortal(fields);
        return fields;
    }

    private void AddTokens(Dictionary<string, string> fields, int userId)
    {
        var tokens = IssueTokens(userId);
        fields["auth[access_token]"] = tokens.Access;
        fields["auth[refresh_token]"] = tokens.Refresh;
        fields["auth[expires]"] = tokens.Expires.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        fields["auth[expires_in]"] = tokens.ExpiresIn.ToString(CultureInfo.InvariantCulture);
        fields["auth[scope]"] = App.ScopeText;
        fields["auth[status]"] = "L";
        fields["auth[user_id]"] = userId.ToString(CultureInfo.InvariantCulture);
    }

    private void AddPortal(Dictionary<string, string> fields)
    {
        fields["auth[domain]"] = Domain;
        fields["auth[server_endpoint]"] = Bitrix.OAuth.ServerEndpoint;
        fields["auth[client_endpoint]"] = ClientEndpoint;
        fields["auth[member_id]"] = MemberId;
        fields["auth[application_token]"] = App.ApplicationToken;
    }

    private List<string> Handlers(string name)
    {
        lock (_gate)
        {
            return [.. _events.Where(bound => bound.ClientId == App.ClientId && bound.Event.Equals(name, StringComparison.OrdinalIgnoreCase))
                .Select(bound => bound.Handler)];
        }
    }

    private void Forget()
    {
        lock (_gate)
        {
            _placements.RemoveAll(placement => placement.ClientId == App.ClientId);
            _events.RemoveAll(bound => bound.ClientId == App.ClientId);
        }
        SlowLoads.Reset();
    }
}
