using System.Collections.Frozen;
using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Apps;

/// <summary>The apps of the configuration, which wins, and of the database.</summary>
internal sealed partial class AppRegistry(IOptions<AppsOptions> options, AppStore store, ILogger<AppRegistry> logger) : IReadyStep
{
    // With more, each app would multiply every series of the metrics.
    private const int MaxLabels = 20;

    private volatile Snapshot? _snapshot;

    /// <summary>Another list after every change.</summary>
    public IReadOnlyList<RegisteredApp> All => Current.All;

    public bool HasAny => All.Count > 0;

    public string? MissingKey => options.Value.MissingKey;

    private Snapshot Current => _snapshot ??= new([.. options.Value.Apps]);

    public RegisteredApp? Find(string name) => Current.ByName.GetValueOrDefault(name);

    /// <summary>Of a removed app, its name.</summary>
    public AppInfo InfoOf(PortalId id) => Find(id.App)?.Info ?? new(id.App, "");

    public RegisteredApp? FindByClientId(string clientId) => Current.ByClientId.GetValueOrDefault(clientId);

    /// <summary>The default app may lack keys for a while; any other that is unknown was removed.</summary>
    public bool Serves(PortalId id) => id.App == PortalId.DefaultApp || Find(id.App) is not null;

    /// <summary>The app as a metric's tag; empty where there are too many.</summary>
    public KeyValuePair<string, object?> Label(PortalId id) => new("app", All.Count <= MaxLabels ? id.App : "");

    public async Task AddAsync(RegisteredApp app, CancellationToken cancellationToken)
    {
        if (!AppsOptions.IsName(app.Name))
            throw new AppException("A name has 1 to 64 letters, digits, _ and -.");
        if (app.Name == PortalId.DefaultApp)
            throw new AppException("The default app's keys are Bitrix24:ClientId and Bitrix24:ClientSecret.");
        if (string.IsNullOrWhiteSpace(app.ClientId) || app.ClientSecret.IsEmpty)
            throw new AppException("An app needs its client_id and its secret.");
        RefuseConfigured(app.Name);
        if (options.Value.Apps.FirstOrDefault(a => a.ClientId == app.ClientId) is { } other)
            throw new AppException($"The configuration has this client_id as the app {other.Name}.");
        if (!await store.AddAsync(app, cancellationToken))
            throw new AppException(
                "There is an app of this name or with this client_id already, or installations of a removed one with another client_id.");
        await RefreshAsync(cancellationToken);
    }

    /// <summary>The previous secret is tried, too, until the new one works.</summary>
    public async Task RotateAsync(string name, Secret secret, CancellationToken cancellationToken)
    {
        RefuseConfigured(name);
        if (secret.IsEmpty)
            throw new AppException("The new secret is missing.");
        if (!await store.RotateAsync(name, secret, cancellationToken))
            throw new AppException($"There is no app {name}.");
        await RefreshAsync(cancellationToken);
    }

    public async Task ConfirmSecretAsync(string name, CancellationToken cancellationToken)
    {
        // One of the configuration has none.
        if (Find(name)?.PreviousSecret is null)
            return;
        await store.ConfirmSecretAsync(name, cancellationToken);
        await RefreshAsync(cancellationToken);
    }

    /// <summary>Its installations stay, and serve when it is added again.</summary>
    public async Task RemoveAsync(string name, CancellationToken cancellationToken)
    {
        RefuseConfigured(name);
        if (!await store.RemoveAsync(name, cancellationToken))
            throw new AppException($"There is no app {name}.");
        await RefreshAsync(cancellationToken);
    }

    public async Task<IReadOnlyList<RegisteredApp>> ListAsync(CancellationToken cancellationToken)
    {
        await RefreshAsync(cancellationToken);
        return All;
    }

    public async Task PrepareAsync(CancellationToken cancellationToken)
    {
        foreach (var (name, clientId) in await store.NoteConfiguredAsync(options.Value.Apps, cancellationToken))
            Log.OtherClientId(logger, name, clientId);
        await RefreshAsync(cancellationToken);
    }

    internal async Task RefreshAsync(CancellationToken cancellationToken)
    {
        var configured = options.Value.Apps;
        var added = (await store.ListAsync(cancellationToken))
            .Where(a => !configured.Any(c => c.Name == a.Name || c.ClientId == a.ClientId));
        RegisteredApp[] now = [.. configured, .. added];
        if (!now.SequenceEqual(All))
            _snapshot = new(now);
    }

    private void RefuseConfigured(string name)
    {
        if (options.Value.Apps.Any(a => a.Name == name))
            throw new AppException($"The app {name} stands in the configuration: change it there.");
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning,
            "The app {App} had the client_id {ClientId} before: portals that have installed that one have to install this one")]
        public static partial void OtherClientId(ILogger logger, string app, string clientId);
    }

    private sealed class Snapshot(RegisteredApp[] apps)
    {
        public IReadOnlyList<RegisteredApp> All { get; } = apps;

        public FrozenDictionary<string, RegisteredApp> ByName { get; } = apps.ToFrozenDictionary(a => a.Name);

        public FrozenDictionary<string, RegisteredApp> ByClientId { get; } = apps.ToFrozenDictionary(a => a.ClientId);
    }
}

internal sealed class AppException(string message) : Exception(message);
