using Bitrix24Placements.Rest;
using Bitrix24Placements.Settings;
using Microsoft.Extensions.Caching.Memory;

namespace Bitrix24Placements.Installation;

/// <summary>One question per user and lane at a time; a "no" is remembered.</summary>
internal sealed class Administrators(RestClient rest) : IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan NoLasts = TimeSpan.FromMinutes(10);

    /// <summary>In a lane: a portal that does not answer takes no more of others' places, from however many addresses, nor a user of his
    /// administrators'.</summary>
    private const int MaxWaiting = 48, MaxWaitingOfUser = 8;

    private readonly ConcurrentDictionary<(PortalId Id, long UserId, bool WithUsersCalls), Lazy<Task<RestResult<bool>>>> _asking = new();

    private readonly ConcurrentDictionary<(PortalId Id, long? UserId, bool WithUsersCalls), int> _waiting = new();
    private readonly MemoryCache _ordinary = new(new MemoryCacheOptions { SizeLimit = 20_000 });

    public bool IsOrdinary((PortalId Id, long UserId) user) => _ordinary.TryGetValue(user, out _);

    /// <summary>For pages, which anybody can open as often as he likes: a remembered "no" asks nobody.</summary>
    public ValueTask<RestResult<bool>> AskUnlessOrdinaryAsync(
        UserAccess user, CancellationToken cancellationToken, bool mayWait = false) =>
        IsOrdinary((user.Portal, user.UserId)) ? new(false) : new(AskAsync(user, cancellationToken, mayWait));

    /// <summary>Afresh; but whoever was none a moment ago waits with what pages call as their users, so that an administrator does not wait
    /// for him.</summary>
    /// <param name="mayWait">Many may ask, or nobody waits for the answer: then it is asked so, too.</param>
    public async Task<RestResult<bool>> AskAsync(UserAccess user, CancellationToken cancellationToken, bool mayWait = false)
    {
        var withUsersCalls = mayWait || IsOrdinary((user.Portal, user.UserId));
        var (lane, own) = ((user.Portal, (long?)null, withUsersCalls), (user.Portal, (long?)user.UserId, withUsersCalls));
        if (!Enter(own, MaxWaitingOfUser))
            return RestError.Unavailable("Too many wait for this user's answer.");
        try
        {
            if (!Enter(lane, MaxWaiting))
                return RestError.Unavailable("Too many wait for this portal.");
            try
            {
                // Without the first one's cancellation: the answer is for everybody who asks meanwhile.
                var asking = _asking.GetOrAdd(
                    (user.Portal, user.UserId, withUsersCalls), _ => new(() => AskPortalAsync(user, withUsersCalls)));
                return await asking.Value.WaitAsync(cancellationToken);
            }
            finally
            {
                Leave(lane);
            }
        }
        finally
        {
            Leave(own);
        }
    }

    private bool Enter((PortalId, long?, bool) waiting, int max)
    {
        if (_waiting.AddOrUpdate(waiting, 1, static (_, count) => count + 1) <= max)
            return true;
        Leave(waiting);
        return false;
    }

    private void Leave((PortalId, long?, bool) waiting)
    {
        if (_waiting.AddOrUpdate(waiting, 0, static (_, count) => count - 1) == 0)
            _waiting.TryRemove(new(waiting, 0));
    }

    /// <summary>Whether the portal's own tokens are those of a user who is none any more.</summary>
    public async Task<bool> HasResignedAsync(PortalId id, CancellationToken cancellationToken) =>
        await rest.CallAsync(id, RestCall.Own("profile") with { Deadline = Timeout }, cancellationToken) is { Ok: true } profile
        && !profile.Value.Truth("ADMIN");

    /// <remarks>https://apidocs.bitrix24.com/api-reference/common/users/profile.html</remarks>
    private async Task<RestResult<bool>> AskPortalAsync(UserAccess access, bool withUsersCalls)
    {
        var user = (access.Portal, access.UserId);
        try
        {
            var call = RestCall.Own("profile") with { Deadline = Timeout, IsOwn = !withUsersCalls };
            var profile = await rest.CallAsUserAsync(access, call, CancellationToken.None);
            if (!profile.Ok)
                // A portal that is busy has not said no.
                return profile.Error.Kind == RestErrorKind.TooMany || RestErrors.IsPassing(profile.Error.Code)
                    ? RestError.Unavailable(profile.Error.Description) : profile.Error;
            var isAdministrator = profile.Value.Truth("ADMIN");
            if (isAdministrator)
                _ordinary.Remove(user);
            else
                _ordinary.Set(user, true, new MemoryCacheEntryOptions { Size = 1, AbsoluteExpirationRelativeToNow = NoLasts });
            return isAdministrator;
        }
        finally
        {
            _asking.TryRemove((access.Portal, access.UserId, withUsersCalls), out _);
        }
    }

    public void Dispose() => _ordinary.Dispose();
}
