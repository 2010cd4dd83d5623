namespace Bitrix24Placements.PortalSimulator;

public sealed partial class SimPortal
{
    /// <summary>The administrator saves the app's form. An API-only app is announced, once; the other one waits for its wizard.</summary>
    public async Task<Delivery?> InstallAsync(
        bool apiOnly = false, int userId = 1, SimApp? app = null, CancellationToken cancellationToken = default)
    {
        app ??= App;
        Forget(app);
        app.Save(apiOnly);
        if (!apiOnly) return null;
        var told = (await SendEventAsync("ONAPPINSTALL", userId: userId, app: app, cancellationToken: cancellationToken)).Single();
        await TellUserReadyAsync(app, userId, cancellationToken);
        return told;
    }

    /// <summary>As <c>BX24.installFinish()</c>, without the event that may follow.</summary>
    public void FinishInstall(SimApp? app = null) => (app ?? App).InstallFinished = (app ?? App).Installed;

    /// <summary>As <c>BX24.installFinish()</c>; ONAPPUSERREADY follows with <see cref="PortalQuirks.MakesSystemUsers"/>.</summary>
    public Task<IReadOnlyList<Delivery>> FinishInstallAsync(
        int userId = 1, SimApp? app = null, CancellationToken cancellationToken = default)
    {
        FinishInstall(app);
        return TellUserReadyAsync(app ?? App, userId, cancellationToken);
    }

    /// <summary>A new version: handlers and placements are gone, the application token is another.</summary>
    public async Task<IReadOnlyList<Delivery>> UpdateAsync(
        int userId = 1, SimApp? app = null, CancellationToken cancellationToken = default)
    {
        app ??= App;
        var handlers = Quirks.SendsNoUpdates ? [] : Handlers("ONAPPUPDATE", app);
        Forget(app);
        app.Update();
        return await PostAllAsync(handlers, EventFields("ONAPPUPDATE", userId, app: app), "ONAPPUPDATE", cancellationToken);
    }

    /// <summary>Removes the default app, and tells it so.</summary>
    /// <param name="clean">Whether its data is to be forgotten, too.</param>
    public Task<IReadOnlyList<Delivery>> UninstallAsync(bool clean, CancellationToken cancellationToken) =>
        UninstallAsync(clean, App, cancellationToken);

    /// <summary>Removes an app, and tells it so.</summary>
    /// <param name="clean">Whether its data is to be forgotten, too.</param>
    public async Task<IReadOnlyList<Delivery>> UninstallAsync(
        bool clean = true, SimApp? app = null, CancellationToken cancellationToken = default)
    {
        var handlers = Handlers("ONAPPUNINSTALL", app ?? App);
        var fields = EventFields("ONAPPUNINSTALL", app: app);
        fields["data[CLEAN]"] = clean ? "1" : "0";
        UninstallSilently(app);
        return await PostAllAsync(handlers, fields, "ONAPPUNINSTALL", cancellationToken);
    }

    /// <summary>Removes the app without an event, as one that got lost. <see cref="SendEventAsync"/> can bring it later.</summary>
    public void UninstallSilently(SimApp? app = null)
    {
        Forget(app ?? App);
        (app ?? App).Remove();
    }

    /// <summary>Deletes the worker's registrations, and tells the <c>errorHandlerUrl</c> of each.</summary>
    public Task<IReadOnlyList<Delivery>> RemoveWorkerAsync(bool notify = true, CancellationToken cancellationToken = default) =>
        RemoveWorkerAsync(App, notify, cancellationToken);

    /// <summary>Likewise of the app that is meant.</summary>
    public async Task<IReadOnlyList<Delivery>> RemoveWorkerAsync(
        SimApp app, bool notify = true, CancellationToken cancellationToken = default)
    {
        var removed = WithPlacements(placements =>
        {
            var workers = placements.FindAll(one => one.Placement == Catalogue.Worker && one.ClientId == app.ClientId);
            placements.RemoveAll(workers.Contains);
            return workers;
        });
        app.SlowLoads.Reset();
        var urls = removed.Select(worker => worker.Options.FindText("errorHandlerUrl")).OfType<string>().Where(_ => notify);
        var deliveries = new List<Delivery>();
        foreach (var url in urls)
            deliveries.Add(await PostAsync(url, RemovalFields(app), "ERROR_PLACEMENT_LOADING_OVERTIME", cancellationToken));
        return deliveries;
    }

    /// <summary>What the portal's page measured. True when it cost the worker its registration.</summary>
    public async Task<bool> ReportWorkerLoadAsync(double milliseconds, SimApp? app = null, CancellationToken cancellationToken = default)
    {
        app ??= App;
        if (!app.SlowLoads.Add(TimeSpan.FromMilliseconds(milliseconds))) return false;
        await RemoveWorkerAsync(app, notify: true, cancellationToken);
        return true;
    }

    private async Task<IReadOnlyList<Delivery>> TellUserReadyAsync(SimApp app, int userId, CancellationToken cancellationToken) =>
        Quirks.MakesSystemUsers && app.Speaks
            ? await SendEventAsync("ONAPPUSERREADY", userId: userId, app: app, cancellationToken: cancellationToken)
            : [];

    private Dictionary<string, string> RemovalFields(SimApp app)
    {
        var fields = new Dictionary<string, string>
        {
            ["error"] = "ERROR_PLACEMENT_LOADING_OVERTIME",
            ["error_description"] = $"Placement {Catalogue.Worker} was removed: it loaded longer than 5 seconds more than 10 times.",
        };
        if (!Quirks.RemovalNoticesWithoutAuth) AddPortal(fields, app);
        return fields;
    }
}
