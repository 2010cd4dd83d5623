using Bitrix24Placements.Placements;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Rest;
using Bitrix24Placements.Work;
using Microsoft.Extensions.Caching.Memory;

namespace Bitrix24Placements.Installation;

/// <summary>An administrator's fresh tokens mend a portal or become its reserve; once a day the placements are looked at.</summary>
internal sealed partial class AdministratorVisits(
    Administrators administrators, PortalStore portals, WorkStore work, DetachedTasks tasks, TimeProvider time,
    ILogger<AdministratorVisits> logger) : IDisposable
{
    private static readonly TimeSpan CheckEvery = TimeSpan.FromDays(1);

    /// <summary>A visit that mends nothing waits with what pages call as their users, lest an office that comes at nine delays others.
    /// So often a portal has one that does not, lest a user who calls without a pause keeps an administrator from being the
    /// reserve.</summary>
    private static readonly TimeSpan PromptEvery = TimeSpan.FromSeconds(10);

    /// <summary>How long his page waits for what his visit mends.</summary>
    private static readonly TimeSpan MendingTimeout = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<(PortalId Id, long UserId), bool> _visits = new();
    private readonly MemoryCache _prompt = new(new MemoryCacheOptions { SizeLimit = 20_000 });

    public async Task VisitAsync(KnownPortal known, TokenInfo user, PlacementPost post)
    {
        var visitor = (known.Id, user.UserId);
        if (!(known.NeedsTokens || IsCheckDue(known) || known.WantsReserve(user.UserId, time.GetUtcNow()))
            || administrators.IsOrdinary(visitor) || !_visits.TryAdd(visitor, true))
            return;
        var tokens = new PortalTokens(post.AccessToken, post.RefreshToken, user.ExpiresAt);
        var mayWait = !known.NeedsTokens && !TakePromptTurn(known.Id);
        var visit = tasks.Run("An administrator's visit", async cancellationToken =>
        {
            try
            {
                if ((await administrators.AskAsync(new(user, tokens.Access), cancellationToken, mayWait)).Value)
                    await UseAsync(known, user, tokens, cancellationToken);
            }
            finally
            {
                _visits.TryRemove(visitor, out _);
            }
        });
        if (known.NeedsTokens)
            await Task.WhenAny(visit, Task.Delay(MendingTimeout, time));
    }

    public void Dispose() => _prompt.Dispose();

    /// <summary>A whole office may ask at once: all but one in a while leave an administrator's wizard its calls.</summary>
    public bool TakePromptTurn(PortalId id)
    {
        if (_prompt.TryGetValue(id, out _))
            return false;
        _prompt.Set(id, true, new MemoryCacheEntryOptions { Size = 1, AbsoluteExpirationRelativeToNow = PromptEvery });
        return true;
    }

    private async Task UseAsync(KnownPortal known, TokenInfo user, PortalTokens tokens, CancellationToken cancellationToken)
    {
        if (known.NeedsTokens && !tokens.Refresh.IsEmpty)
            await MendAsync(user, tokens, cancellationToken);
        else if (known.WantsReserve(user.UserId, time.GetUtcNow()) && !tokens.Refresh.IsEmpty)
            await portals.SaveReserveAsync(known.Id, new(tokens, user.UserId, IsAdministrator: true), cancellationToken);
        if (IsCheckDue(known) && await portals.TakeCheckAsync(known.Id, time.GetUtcNow() - CheckEvery, cancellationToken))
            await work.RequestAsync(new(known.Id, WorkKind.Look), cancellationToken);
    }

    private async Task MendAsync(TokenInfo user, PortalTokens tokens, CancellationToken cancellationToken)
    {
        if (!await portals.ReplaceTokensAsync(user.Id, user.UserId, tokens, user.Server, cancellationToken))
            return;
        Log.Mended(logger, user.Id);
        await work.RequestAsync(new(user.Id, WorkKind.Reconcile), cancellationToken);
    }

    private bool IsCheckDue(KnownPortal known) => known.CheckedAt < time.GetUtcNow() - CheckEvery;

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "An administrator's page has brought portal {MemberId} new tokens")]
        public static partial void Mended(ILogger logger, PortalId memberId);
    }
}
