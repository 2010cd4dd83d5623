using System.Threading.RateLimiting;
using Bitrix24Placements.Apps;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Refusals;
using Bitrix24Placements.Rest;
using Microsoft.Extensions.Options;

namespace Bitrix24Placements.Placements;

/// <summary>What is believed of a launch.</summary>
/// <param name="Portal">Null with <c>Verification: Off</c>, where nothing is known and everything is taken as it comes.</param>
internal sealed record Believed(KnownPortal? Portal, TokenInfo? User, Verification Verification);

/// <summary>Decides whether a launch is believed, and changes nothing. Everything in the request is a claim: any employee of a portal can send one.</summary>
internal sealed class LaunchVerifier(
    PortalStore portals, PortalDirectory directory, ConfirmedTokens confirmed, OAuthClient oauth, HostRules hosts, ILaunchListener listener,
    UnverifiedAttempts attempts, AppRegistry apps, IOptions<Bitrix24Options> options, IOptions<LimitsOptions> limits) : IAsyncDisposable
{
    /// <summary>For all OAuth servers together: a person is waiting, and gets an answer within three seconds of a busy machine too.</summary>
    private static readonly TimeSpan ConfirmationTimeout = TimeSpan.FromSeconds(2.75);

    /// <summary>A page of the portal is waiting, and Bitrix24 counts: rather no answer than a late one.</summary>
    private static readonly TimeSpan WorkerTimeout = TimeSpan.FromMilliseconds(750);

    private static readonly Believed Anything = new(null, null, Verification.None);

    private readonly ConcurrencyLimiter _confirmations = new(new()
    {
        PermitLimit = limits.Value.ConcurrentConfirmations,
        QueueLimit = limits.Value.ConcurrentConfirmations,
        QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
    });

    private bool IsOff => options.Value.Verification == VerificationMode.Off;

    /// <summary>The worker: from memory, without any call. Whoever may load it learns nothing private.</summary>
    public ValueTask<Checked<Believed>> VerifyWorkerAsync(HttpContext context, PlacementPost post)
    {
        if (IsOff)
            return new(Anything);
        return directory.Find(new(post.MemberId)) is { State: PortalState.Installed } known && JudgeWorker(post, known) is { Ok: true } believed
            ? new(believed)
            : VerifyUnknownWorkerAsync(context, post);
    }

    private Checked<Believed> JudgeWorker(PlacementPost post, KnownPortal known)
    {
        if (known.State != PortalState.Installed)
            return Rejection.NotInstalled;
        if (!hosts.IsAllowedPortal(known.ClientEndpoint.Host))
            return Rejection.NotAllowed;
        // A portal too old to send its application_token gets the same page.
        if (!post.ApplicationToken.IsEmpty && !known.AcceptsApplicationToken(post.ApplicationToken))
            return Rejection.NotVerified;
        if (!string.Equals(post.Domain, known.Domain, StringComparison.Ordinal))
            listener.AddressDiffers(known.Id);
        return new Believed(known, null, post.ApplicationToken.IsEmpty ? Verification.None : Verification.ApplicationToken);
    }

    private async ValueTask<Checked<Believed>> VerifyUnknownWorkerAsync(HttpContext context, PlacementPost post)
    {
        if (!attempts.MayTry(context, AttemptKind.Worker, post.MemberId))
            return Rejection.TooManyAttempts;
        try
        {
            var known = await portals.KnownAsync(new(post.MemberId), CancellationToken.None).AsTask().WaitAsync(WorkerTimeout, context.RequestAborted);
            return known is null ? Rejection.NotInstalled : JudgeWorker(post, known);
        }
        catch (TimeoutException)
        {
            return Rejection.StoreUnavailable;
        }
    }

    /// <summary>Every page but the worker's: the OAuth server says who opens it.</summary>
    public ValueTask<Checked<Believed>> VerifyPersonAsync(HttpContext context, PlacementPost post)
    {
        if (IsOff)
            return new(Anything);
        return directory.Find(new(post.MemberId)) is { State: PortalState.Installed } known
            && confirmed.Find(post.AccessToken, known) is { } user
            && (post.ApplicationToken.IsEmpty || known.AcceptsApplicationToken(post.ApplicationToken))
            && hosts.IsAllowedPortal(known.ClientEndpoint.Host)
            ? BelieveAsync(known, user, post)
            : ConfirmAsync(context, post);
    }

    private async ValueTask<Checked<Believed>> ConfirmAsync(HttpContext context, PlacementPost post)
    {
        if (!attempts.MayTry(context, AttemptKind.Person, post.MemberId))
            return Rejection.TooManyAttempts;
        if (!apps.HasAny)
            return Rejection.NotConfigured;
        if (await portals.KnownAsync(new(post.MemberId), context.RequestAborted) is not { State: not PortalState.Uninstalled } known)
            return Rejection.NotInstalled;
        if (!hosts.IsAllowedPortal(known.ClientEndpoint.Host))
            return Rejection.NotAllowed;

        using var place = await _confirmations.AcquireAsync(1, context.RequestAborted);
        if (!place.IsAcquired)
            return Rejection.Overloaded;
        var server = hosts.ConfiguredOAuthServer(post.ServerEndpoint) ?? hosts.ConfiguredOAuthServer(known.OAuthServer.AbsoluteUri);
        var confirmation = await oauth.ConfirmAsync(post.AccessToken, server, ConfirmationTimeout, context.RequestAborted);
        if (confirmation.Verdict == TokenVerdict.NoAnswer)
            return Rejection.Unavailable;
        if (confirmation.Info is not { } user || user.Id.MemberId != post.MemberId)
            return Rejection.NotVerified;
        if (!hosts.IsAllowedPortal(user.ClientEndpoint.Host))
            return Rejection.NotAllowed;
        var settled = await listener.SettleAsync(user, post, known, context.RequestAborted);
        if (!settled.Ok)
            return settled.Rejection;
        confirmed.Remember(post.AccessToken, user, settled.Value);
        return await BelieveAsync(settled.Value, user, post);
    }

    private async ValueTask<Checked<Believed>> BelieveAsync(KnownPortal known, TokenInfo user, PlacementPost post)
    {
        await listener.VisitedAsync(known, user, post);
        return new Believed(known, user, Verification.AccessToken);
    }

    public ValueTask DisposeAsync() => _confirmations.DisposeAsync();
}
