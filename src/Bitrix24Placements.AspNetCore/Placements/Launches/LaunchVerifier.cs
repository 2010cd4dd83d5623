using Bitrix24Placements.Apps;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Refusals;
using Bitrix24Placements.Rest;

namespace Bitrix24Placements.Placements;

/// <param name="Portal">Null with <c>Verification: Off</c>.</param>
internal sealed record Believed(KnownPortal? Portal, TokenInfo? User, Verification Verification)
{
    public string Explain() => (Portal, Verification) switch
    {
        (null, _) => "taken as it came: Verification is Off",
        (_, Verification.ApplicationToken) => "believed: APPLICATION_TOKEN is the stored one",
        (_, Verification.AccessToken) => $"believed: the OAuth server knows AUTH_ID, as that of user {User?.UserId}",
        _ => "served without verification: there was no APPLICATION_TOKEN",
    };
}

/// <summary>Changes nothing. Everything in the request is a claim: any employee of a portal can send one.</summary>
internal sealed class LaunchVerifier(
    PortalStore portals, PortalDirectory directory, ConfirmedTokens confirmed, Confirmations confirmations, HostRules hosts,
    ILaunchListener listener, UnverifiedAttempts attempts, AppRegistry apps, ServedPortals served, IOptions<Bitrix24Options> options)
{
    /// <summary>A page of the portal is waiting, and Bitrix24 counts: rather no answer than a late one.</summary>
    private static readonly TimeSpan WorkerTimeout = TimeSpan.FromMilliseconds(750);

    private static readonly Believed Anything = new(null, null, Verification.None);

    private bool IsOff => options.Value.Verification == VerificationMode.Off;

    /// <summary>From memory. Whoever may load it learns nothing private.</summary>
    public async ValueTask<Checked<Believed>> VerifyWorkerAsync(HttpContext context, PlacementPost post)
    {
        if (IsOff)
            return Anything;
        if (JudgeWorker(post, directory.FindAll(post.MemberId)) is { Ok: true } believed)
            return believed;
        if (!attempts.MayTry(context, RequestKind.Worker, post.MemberId))
            return Rejection.TooManyAttempts;
        try
        {
            return JudgeWorker(post, await portals.KnownAllAsync(post.MemberId, CancellationToken.None).AsTask().WaitAsync(
                WorkerTimeout, context.RequestAborted));
        }
        catch (TimeoutException)
        {
            return Rejection.StoreUnavailable;
        }
    }

    /// <summary>Of a portal's apps it is the one whose application_token was sent.</summary>
    private Checked<Believed> JudgeWorker(PlacementPost post, IReadOnlyList<KnownPortal> installations)
    {
        KnownPortal? installed = null, matching = null;
        foreach (var candidate in installations)
        {
            if (candidate.State != PortalState.Installed || !apps.Serves(candidate.Id))
                continue;
            installed ??= candidate;
            if (!post.ApplicationToken.IsEmpty && candidate.AcceptsApplicationToken(post.ApplicationToken))
                matching = candidate;
        }

        if (installed is null)
            return Rejection.NotInstalled.Because("no app is installed on the portal of this member_id");
        if (!hosts.IsAllowedPortal((matching ?? installed).ClientEndpoint.Host))
            return Rejection.NotAllowed;
        // A portal too old to send its application_token gets the same page, and nothing follows from it.
        if (post.ApplicationToken.IsEmpty)
            return new Believed(installed, null, Verification.None);
        if (matching is null)
            return Rejection.NotVerified.Because("APPLICATION_TOKEN differs from the stored one");
        if (post.Domain != matching.Address.Domain)
            listener.AddressDiffers(matching.Id);
        return new Believed(matching, null, Verification.ApplicationToken);
    }

    public RequestKind PlacesOf(PlacementPost post) => post.Placement == PlacementCatalogue.BackgroundWorker ? RequestKind.Worker
        : IsOff || Remembered(post) is not null ? RequestKind.Person
        : directory.FindAll(post.MemberId).Any(known => known.AcceptsApplicationToken(post.ApplicationToken))
            ? RequestKind.UnconfirmedUser : RequestKind.UnconfirmedPerson;

    /// <summary>The OAuth server says who opens the page.</summary>
    public ValueTask<Checked<Believed>> VerifyPersonAsync(HttpContext context, PlacementPost post) => IsOff ? new(Anything)
        : Remembered(post) is var (user, portal) ? BelieveAsync(portal, user, post) : ConfirmAsync(context, post);

    private (TokenInfo User, KnownPortal Portal)? Remembered(PlacementPost post) =>
        confirmed.Find(post.AccessToken, post.MemberId) is var (user, portal) && served.Contains(portal)
        && (post.ApplicationToken.IsEmpty || portal.AcceptsApplicationToken(post.ApplicationToken)) ? (user, portal) : null;

    private async ValueTask<Checked<Believed>> ConfirmAsync(HttpContext context, PlacementPost post)
    {
        // Before anything is looked up: nobody fills memory or the database with portals that he has made up.
        if (!attempts.MayTry(context, RequestKind.Person, post.MemberId))
            return Rejection.TooManyAttempts;
        if (!apps.HasAny)
            return Rejection.NotConfigured;
        var installations = await portals.KnownAllAsync(post.MemberId, CancellationToken.None);
        if (installations.Count > 0 && !installations.Any(i => hosts.IsAllowedPortal(i.ClientEndpoint.Host)))
            return Rejection.NotAllowed;

        var answer = await confirmations.UserAsync(
            new(ClientAddress.Of(context), post.MemberId, post.ApplicationToken), post.AccessToken, post.ServerEndpoint);
        if (!answer.Ok && answer.Rejection != Rejection.NotVerified)
            return answer.Rejection;
        // Of a portal that is not served, that is what helps to know.
        if (answer.Value is not { } user)
            return (installations.Any(i => i.State != PortalState.Uninstalled) ? Rejection.NotVerified : Rejection.NotInstalled)
                .Because("the OAuth server does not know AUTH_ID as this portal's");
        if (!hosts.IsAllowedPortal(user.ClientEndpoint.Host))
            return Rejection.NotAllowed;
        // An administrator's page brings back a portal that is suspended, uninstalled or unknown.
        var settled = await listener.SettleAsync(user, post, installations.FirstOrDefault(i => i.Id == user.Id), context.RequestAborted);
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
}
