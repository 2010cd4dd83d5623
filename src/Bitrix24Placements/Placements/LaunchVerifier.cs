using System.Text;
using System.Threading.RateLimiting;
using Bitrix24Placements.Hosting;
using Bitrix24Placements.Installation;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Rest;
using Microsoft.Extensions.Options;

namespace Bitrix24Placements.Placements;

/// <summary>What is believed of a launch.</summary>
/// <param name="Portal">Null with <c>Verification: Off</c>, where nothing is known and everything is taken as it comes.</param>
public readonly record struct Believed(KnownPortal? Portal, TokenInfo? User, Verification Verification);

public readonly record struct Verdict(Believed Believed, Rejection? Rejection)
{
    public static implicit operator Verdict(Rejection rejection) => new(default, rejection);

    public static implicit operator Verdict(Believed believed) => new(believed, null);
}

/// <summary>Decides whether a launch is believed. Everything in the request is a claim: any employee of a portal can send one.</summary>
public sealed class LaunchVerifier : IAsyncDisposable
{
    /// <summary>For all OAuth servers together: a person is waiting, and gets an answer within three seconds of a busy machine too.</summary>
    private static readonly TimeSpan ConfirmationBudget = TimeSpan.FromSeconds(2.75);

    /// <summary>A page of the portal is waiting, and Bitrix24 counts: rather no answer than a late one.</summary>
    private static readonly TimeSpan WorkerPatience = TimeSpan.FromMilliseconds(750);

    private readonly PortalStore _portals;
    private readonly PortalDirectory _directory;
    private readonly ConfirmedTokens _confirmed;
    private readonly OAuthClient _oauth;
    private readonly HostRules _hosts;
    private readonly AdministratorVisits _administrators;
    private readonly AddressChecks _addressChecks;
    private readonly UnverifiedAttempts _attempts;
    private readonly Bitrix24Options _options;
    private readonly ConcurrencyLimiter _confirmations;

    public LaunchVerifier(
        PortalStore portals, PortalDirectory directory, ConfirmedTokens confirmed, OAuthClient oauth, HostRules hosts, AdministratorVisits administrators,
        AddressChecks addressChecks, UnverifiedAttempts attempts, IOptions<Bitrix24Options> options, IOptions<LimitsOptions> limits)
    {
        (_portals, _directory, _confirmed, _oauth, _hosts) = (portals, directory, confirmed, oauth, hosts);
        (_administrators, _addressChecks, _attempts, _options) = (administrators, addressChecks, attempts, options.Value);
        _confirmations = new(new() { PermitLimit = limits.Value.ConcurrentConfirmations, QueueLimit = limits.Value.ConcurrentConfirmations, QueueProcessingOrder = QueueProcessingOrder.OldestFirst });
    }

    private bool IsOff => _options.Verification == VerificationMode.Off;

    /// <summary>The worker: from memory, without any call. Whoever may load it learns nothing private.</summary>
    public ValueTask<Verdict> VerifyWorkerAsync(HttpContext context, PlacementPost post)
    {
        if (IsOff)
            return new(new Believed(null, null, Verification.None));
        return _directory.Find(post.MemberId) is { State: PortalState.Installed } known && JudgeWorker(post, known) is { Rejection: null } verdict
            ? new(verdict)
            : VerifyUnknownWorkerAsync(context, post);
    }

    private Verdict JudgeWorker(PlacementPost post, KnownPortal known)
    {
        if (known.State != PortalState.Installed)
            return Rejection.NotInstalled;
        if (!_hosts.IsAllowedPortal(known.ClientEndpoint.Host))
            return Rejection.NotAllowed;
        // A portal too old to send its application_token gets the same page.
        if (!post.ApplicationToken.IsEmpty && !Matches(known, post.ApplicationToken))
            return Rejection.NotVerified;
        if (!string.Equals(post.Domain, known.Domain, StringComparison.Ordinal))
            _addressChecks.Suggest(known.MemberId);
        return new Believed(known, null, post.ApplicationToken.IsEmpty ? Verification.None : Verification.ApplicationToken);
    }

    private async ValueTask<Verdict> VerifyUnknownWorkerAsync(HttpContext context, PlacementPost post)
    {
        if (!_attempts.MayTry(context, post.MemberId))
            return Rejection.TooManyAttempts;
        KnownPortal? known;
        try
        {
            known = await _portals.KnownAsync(post.MemberId, CancellationToken.None).AsTask().WaitAsync(WorkerPatience, context.RequestAborted);
        }
        catch (TimeoutException)
        {
            return Rejection.StoreUnavailable;
        }

        return known is null ? Rejection.NotInstalled : JudgeWorker(post, known);
    }

    /// <summary>REST_APP_URI and the app's own page: the OAuth server says who opens it.</summary>
    public ValueTask<Verdict> VerifyPersonAsync(HttpContext context, PlacementPost post)
    {
        if (IsOff)
            return new(new Believed(null, null, Verification.None));
        if (_directory.Find(post.MemberId) is { State: PortalState.Installed } known
            && _confirmed.Find(post.AccessToken, known) is { } info
            && (post.ApplicationToken.IsEmpty || Matches(known, post.ApplicationToken))
            && _hosts.IsAllowedPortal(known.ClientEndpoint.Host))
        {
            return VisitedAsync(known, info, post);
        }

        return ConfirmAsync(context, post);
    }

    private async ValueTask<Verdict> ConfirmAsync(HttpContext context, PlacementPost post)
    {
        if (!_attempts.MayTry(context, post.MemberId))
            return Rejection.TooManyAttempts;
        if (!_options.HasKeys)
            return Rejection.NotConfigured;
        if (await _portals.KnownAsync(post.MemberId, context.RequestAborted) is not { State: not PortalState.Uninstalled } known)
            return Rejection.NotInstalled;
        if (!_hosts.IsAllowedPortal(known.ClientEndpoint.Host))
            return Rejection.NotAllowed;

        using var place = await _confirmations.AcquireAsync(1, context.RequestAborted);
        if (!place.IsAcquired)
            return Rejection.Overloaded;
        var server = _hosts.ConfiguredOAuthServer(post.ServerEndpoint) ?? _hosts.ConfiguredOAuthServer(known.OAuthServer.AbsoluteUri);
        var confirmation = await _oauth.ConfirmAsync(post.AccessToken, server, ConfirmationBudget, context.RequestAborted);
        if (confirmation.Verdict == TokenVerdict.NoAnswer)
            return Rejection.Unavailable;
        if (confirmation.Info is not { } info || info.MemberId != post.MemberId)
            return Rejection.NotVerified;
        if (!_hosts.IsAllowedPortal(info.ClientEndpoint.Host))
            return Rejection.NotAllowed;
        return await BelieveAsync(context, post, known, info);
    }

    private async Task<Verdict> BelieveAsync(HttpContext context, PlacementPost post, KnownPortal known, TokenInfo info)
    {
        if (info.ClientEndpoint != known.ClientEndpoint)
            await _portals.MoveAsync(post.MemberId, info.ClientEndpoint, context.RequestAborted);
        // Only an administrator's page brings a new application_token, and only his restores a suspended portal.
        var newToken = !post.ApplicationToken.IsEmpty && !Matches(known, post.ApplicationToken);
        if (newToken || known.State == PortalState.Suspended)
        {
            var isAdministrator = await _administrators.IsAdministratorAsync(info, post.AccessToken, context.RequestAborted);
            if (!isAdministrator.Ok && (isAdministrator.Error.Kind != RestErrorKind.Refused || RestErrors.IsPassing(isAdministrator.Error.Code)))
                return Rejection.Unavailable;
            if (!isAdministrator.Value)
                return newToken ? Rejection.NotVerified : Rejection.NotInstalled;
            if (newToken)
                await _portals.AdoptApplicationTokenAsync(post.MemberId, post.ApplicationToken, context.RequestAborted);
            if (known.State == PortalState.Suspended)
                await _administrators.RestoreAsync(info, post, context.RequestAborted);
        }

        // Read again: what has just been changed is in it.
        if (await _portals.KnownAsync(post.MemberId, context.RequestAborted) is not { State: PortalState.Installed } now)
            return Rejection.NotInstalled;
        _confirmed.Remember(post.AccessToken, info, now);
        return await VisitedAsync(now, info, post);
    }

    private async ValueTask<Verdict> VisitedAsync(KnownPortal known, TokenInfo info, PlacementPost post)
    {
        if (_administrators.IsWanted(known))
            await _administrators.VisitAsync(known, info, post);
        return new Believed(known, info, Verification.AccessToken);
    }

    private static bool Matches(KnownPortal known, Secret token)
    {
        var text = token.Reveal();
        Span<byte> bytes = stackalloc byte[512];
        return Encoding.UTF8.TryGetBytes(text, bytes, out var length) && known.AcceptsApplicationToken(bytes[..length]);
    }

    public ValueTask DisposeAsync() => _confirmations.DisposeAsync();
}
