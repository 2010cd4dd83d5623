using System.Collections.Concurrent;
using Bitrix24Placements.Placements;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Rest;
using Bitrix24Placements.Settings;
using Bitrix24Placements.Work;
using Microsoft.Extensions.Caching.Memory;

namespace Bitrix24Placements.Installation;

/// <summary>What an administrator's page is good for beside being shown: his fresh tokens mend a portal whose own are dead, and once a day they show whether the placements are still there.</summary>
internal sealed partial class AdministratorVisits(
    RestClient rest, PortalStore portals, WorkStore work, WorkSignal signal, PlacementCatalogue catalogue, DetachedTasks tasks, TimeProvider time, ILogger<AdministratorVisits> logger) : IDisposable
{
    private static readonly TimeSpan CheckEvery = TimeSpan.FromDays(1);

    /// <summary>So long the administrator's page waits to be shown with what his visit has mended.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan ProfileDeadline = TimeSpan.FromSeconds(8);

    /// <summary>By user: an employee's visit that is being looked at must not cost an administrator his.</summary>
    private readonly ConcurrentDictionary<(PortalId Id, long UserId), bool> _visits = new();

    /// <summary>Ordinary users, so that not every page of theirs asks the portal again.</summary>
    private readonly MemoryCache _ordinary = new(new MemoryCacheOptions { SizeLimit = 20_000 });

    /// <summary>Whether <c>profile</c>, called with this confirmed token, says ADMIN.</summary>
    /// <remarks>https://apidocs.bitrix24.com/api-reference/common/users/profile.html</remarks>
    public async Task<RestResult<bool>> IsAdministratorAsync(TokenInfo confirmed, Secret token, CancellationToken cancellationToken)
    {
        var profile = await rest.CallAsUserAsync(confirmed, token, new RestCall("profile") { Deadline = ProfileDeadline }, cancellationToken);
        if (profile.Ok)
            return profile.Value.Truth("ADMIN");
        // A portal that is busy has not said no.
        return RestErrors.IsPassing(profile.Error.Code) ? RestError.Unavailable(profile.Error.Description) : profile.Error;
    }

    /// <summary>From memory: whether an administrator's page is wanted for anything.</summary>
    public bool IsWanted(KnownPortal known) => known.TokenState != TokenState.Good || known.CheckedAt < time.GetUtcNow() - CheckEvery;

    /// <summary>Uses the visit, if its user is an administrator. Waits a moment where the portal is waiting to be mended, not at all otherwise.</summary>
    public async Task VisitAsync(KnownPortal known, TokenInfo confirmed, PlacementPost post)
    {
        var visitor = (known.Id, confirmed.UserId);
        if (_ordinary.TryGetValue(visitor, out _) || !_visits.TryAdd(visitor, true))
            return;
        var visit = tasks.Run("An administrator's visit", async cancellationToken =>
        {
            try
            {
                await UseAsync(known, confirmed, post, cancellationToken);
            }
            finally
            {
                _visits.TryRemove(visitor, out _);
            }
        });
        if (known.TokenState != TokenState.Good)
            await Task.WhenAny(visit, Task.Delay(Patience, time));
    }

    private async Task UseAsync(KnownPortal known, TokenInfo confirmed, PlacementPost post, CancellationToken cancellationToken)
    {
        var isAdministrator = await IsAdministratorAsync(confirmed, post.AccessToken, cancellationToken);
        if (!isAdministrator.Ok)
            return;
        if (!isAdministrator.Value)
        {
            _ordinary.Set((known.Id, confirmed.UserId), true, new MemoryCacheEntryOptions { Size = 1, AbsoluteExpirationRelativeToNow = TimeSpan.FromMinutes(10) });
            return;
        }

        if (known.TokenState != TokenState.Good)
            await RestoreAsync(confirmed, post, cancellationToken);
        else if (await portals.TakeCheckAsync(known.Id, time.GetUtcNow() - CheckEvery, cancellationToken))
            await CheckAsync(confirmed, post, cancellationToken);
    }

    /// <summary>A confirmed administrator's tokens become the portal's.</summary>
    public async Task RestoreAsync(TokenInfo confirmed, PlacementPost post, CancellationToken cancellationToken)
    {
        if (post.RefreshToken.IsEmpty)
            return;
        if (!await portals.ReplaceTokensAsync(confirmed.Id, confirmed.UserId, new(post.AccessToken, post.RefreshToken, confirmed.ExpiresAt), cancellationToken))
            return;
        Log.Restored(logger, confirmed.Id);
        await RequestReconciliationAsync(confirmed.Id, cancellationToken);
    }

    /// <summary>A removal notice may have been lost: are the placements still there?</summary>
    private async Task CheckAsync(TokenInfo confirmed, PlacementPost post, CancellationToken cancellationToken)
    {
        if (!catalogue.CanDeclare || await portals.FindAsync(confirmed.Id, cancellationToken) is not { } portal)
            return;
        var answer = await rest.CallAsUserAsync(confirmed, post.AccessToken, new RestCall("placement.get"), cancellationToken);
        if (!answer.Ok)
            return;
        var registered = Registration.ReadAll(answer.Value);
        if (catalogue.For(portal).All(declared => Registration.IsRight(registered, declared)))
            return;
        Log.Missing(logger, confirmed.Id);
        await RequestReconciliationAsync(confirmed.Id, cancellationToken);
    }

    private async Task RequestReconciliationAsync(PortalId id, CancellationToken cancellationToken)
    {
        await work.RequestAsync(id, WorkKind.Reconcile, time.GetUtcNow(), TimeSpan.Zero, null, resetAttempts: true, cancellationToken);
        signal.Wake();
    }

    public void Dispose() => _ordinary.Dispose();

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "An administrator's page has brought portal {MemberId} new tokens")]
        public static partial void Restored(ILogger logger, PortalId memberId);

        [LoggerMessage(2, LogLevel.Warning, "A placement is missing on portal {MemberId}, though no notice of its removal came")]
        public static partial void Missing(ILogger logger, PortalId memberId);
    }
}
