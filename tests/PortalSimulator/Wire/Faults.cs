namespace Bitrix24Placements.PortalSimulator;

/// <summary>
/// What goes wrong, and with which requests. Targets: <c>rest:placement.bind</c> and every other REST method, <c>oauth:token</c>,
/// <c>oauth:app.info</c>, <c>page:/api/v1/</c> (the vendor's library) and every other path of a portal, <c>pull:connect</c>;
/// a <c>*</c> at the end stands for anything.
/// <code>bitrix.Faults.Next("rest:placement.bind", Fault.Error("QUERY_LIMIT_EXCEEDED", 503), times: 2);</code>
/// </summary>
public sealed class Faults
{
    private readonly Lock _gate = new();
    private readonly List<Arranged> _arranged = [];

    /// <summary>For the next <paramref name="times"/> requests; several arranged faults come in their order.</summary>
    public void Next(string target, Fault fault, int times = 1, SimPortal? portal = null)
    {
        lock (_gate) _arranged.Add(new Arranged(target, fault, portal) { Left = times });
    }

    /// <summary>Until cleared. What <see cref="Next"/> arranged comes first.</summary>
    public void Set(string target, Fault fault, SimPortal? portal = null)
    {
        lock (_gate)
        {
            _arranged.RemoveAll(arranged => arranged.Left is null && arranged.Target == target && arranged.Portal == portal);
            _arranged.Add(new Arranged(target, fault, portal));
        }
    }

    /// <summary>Forgets the faults of a target as it was written, or all.</summary>
    public void Clear(string? target = null, SimPortal? portal = null)
    {
        lock (_gate)
            _arranged.RemoveAll(arranged => (target is null || arranged.Target == target) && (portal is null || arranged.Portal == portal));
    }

    internal bool Has(string target)
    {
        lock (_gate) return _arranged.Exists(arranged => arranged.Target == target);
    }

    internal Fault? Take(string target, SimPortal? portal)
    {
        lock (_gate)
        {
            var found = _arranged.Where(one => one.Fits(target, portal)).OrderBy(one => one.Left is null).FirstOrDefault();
            if (found?.Left is { } left)
            {
                if (left <= 1) _arranged.Remove(found);
                else found.Left = left - 1;
            }
            return found?.Fault;
        }
    }

    /// <summary>Does the work under a fault; null when the connection is to be closed without an answer.</summary>
    internal static async Task<Answer?> ApplyAsync(
        Fault? fault, Func<Task<Answer>> work, TimeProvider time, CancellationToken cancellationToken)
    {
        if (fault is null) return await work();
        if (fault.WaitBefore is { } before) await before.WaitAsync(cancellationToken);
        if (fault.StartsAfter is { } delay) await Task.Delay(delay, time, cancellationToken);
        if (fault.AbortBefore) return null;
        var answer = fault.Instead ?? await work();
        if (fault.WaitAfter is { } after) await after.WaitAsync(cancellationToken);
        if (fault.LateBy is { } late) await Task.Delay(late, time, cancellationToken);
        return fault.AbortAfter ? null : answer with { Trickle = fault.Trickle };
    }

    private sealed record Arranged(string Target, Fault Fault, SimPortal? Portal)
    {
        /// <summary>Null: a standing fault.</summary>
        public int? Left { get; set; }

        public bool Fits(string target, SimPortal? portal) =>
            (Portal is null || Portal == portal)
            && (Target.EndsWith('*')
                ? target.StartsWith(Target[..^1], StringComparison.OrdinalIgnoreCase)
                : Target.Equals(target, StringComparison.OrdinalIgnoreCase));
    }
}
