using Bitrix24Placements.Portals;

namespace Bitrix24Placements.Doctor;

/// <param name="id">A stable word for scripts, and the key of its title: <c>doctor.check.{Id}</c>.</param>
/// <param name="needs">Checks without whose success this one would only repeat their finding.</param>
internal abstract class Check(string id, params string[] needs)
{
    public string Id => id;

    public IReadOnlyList<string> Needs => needs;

    /// <summary>What was seen may name the operator's hosts and other people's apps: it is told to him alone.</summary>
    public virtual bool IsOperators => false;

    public abstract Task<IReadOnlyList<Finding>> RunAsync(Examination examination, CancellationToken cancellationToken);
}

/// <summary>Looks at the portal that is examined.</summary>
internal abstract class CheckOfPortal(string id, params string[] needs) : Check(id, needs)
{
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(5);

    public sealed override Task<IReadOnlyList<Finding>> RunAsync(Examination examination, CancellationToken cancellationToken) =>
        examination.Portal is { } portal ? RunAsync(portal, cancellationToken) : Task.FromResult(Finding.Note("portal.none"));

    protected abstract Task<IReadOnlyList<Finding>> RunAsync(Portal portal, CancellationToken cancellationToken);

    protected static Task<RestResult<JsonElement>> AskAsync(
        RestClient rest, Portal portal, string method, JsonObject? parameters, CancellationToken cancellationToken) =>
        rest.CallAsync(
            portal.Id, RestCall.Own(method, parameters) with { Deadline = CallTimeout, Repeat = Repeat.Safe }, cancellationToken);

    protected static IReadOnlyList<Finding> Refused(Portal portal, string method, RestError error) =>
        Finding.One("portal.refused", $"{portal.ClientEndpoint.Host}: {method}, {error.Code}");
}
