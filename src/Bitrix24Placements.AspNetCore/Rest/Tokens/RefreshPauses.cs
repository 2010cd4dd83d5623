using Bitrix24Placements.Portals;

namespace Bitrix24Placements.Rest;

/// <summary>Pauses that grow while a portal's tokens cannot be refreshed. Newer tokens end them.</summary>
internal sealed class RefreshPauses(TimeProvider time)
{
    private const int Capacity = 10_000;
    private const double MaxSeconds = 60;

    private readonly ConcurrentDictionary<PortalId, Failure> _failures = new();

    private sealed record Failure(long Version, int Times, long At, TimeSpan Pause, RestError Error);

    /// <summary>The last outcome, while it is too soon for another.</summary>
    public RestError? Find(Portal portal) =>
        FailureOf(portal) is { } failure && time.GetElapsedTime(failure.At) < failure.Pause ? failure.Error : null;

    /// <param name="error">Null: there are new tokens.</param>
    public void Note(Portal portal, RestError? error)
    {
        if (error is null)
        {
            _failures.TryRemove(portal.Id, out _);
            return;
        }

        var times = (FailureOf(portal)?.Times ?? 0) + 1;
        // Wrong keys are put right at once, for all portals.
        var isFinal = error is { Kind: RestErrorKind.Refused, Code: not RestErrors.InvalidClient };
        var seconds = isFinal ? MaxSeconds : Math.Min(MaxSeconds, Math.Pow(2, times - 2));
        _failures[portal.Id] = new(portal.TokensVersion, times, time.GetTimestamp(), TimeSpan.FromSeconds(seconds), error);
        if (_failures.Count > Capacity)
            _failures.Clear();
    }

    private Failure? FailureOf(Portal portal) =>
        _failures.TryGetValue(portal.Id, out var failure) && failure.Version == portal.TokensVersion ? failure : null;
}
