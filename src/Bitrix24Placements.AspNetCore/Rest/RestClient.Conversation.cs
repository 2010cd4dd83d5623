using Bitrix24Placements.Portals;
using Bitrix24Placements.Rest;

namespace Bitrix24Placements;

public sealed partial class RestClient
{
    /// <param name="portal">Null where a user calls, whose tokens nobody renews here.</param>
    private sealed class Conversation(RestParts parts, RestCall call, UserAccess caller, Portal? portal = null)
    {
        private const int MaxRepeats = 6;

        private static readonly TimeSpan ConfirmationTimeout = TimeSpan.FromSeconds(5);

        private readonly CallLane _lane = portal is null
            ? call.IsOwn ? CallLane.Administrator : CallLane.User
            : call.IsOwn ? CallLane.Own : CallLane.App;

        private readonly long _started = parts.Time.GetTimestamp();
        private bool _renewed;
        private bool _moved;

        private TimeSpan Left => call.Deadline - parts.Time.GetElapsedTime(_started);

        public async Task<RestResult<JsonElement>> RunAsync(CancellationToken cancellationToken)
        {
            var repeats = 0;
            while (true)
            {
                var sent = await SendAsync(cancellationToken);
                if (!sent.Ok)
                    return sent.Error;
                var attempt = sent.Value;
                // Neither an address nor tokens come by repeating the call.
                if (attempt.MovedTo is { } target)
                {
                    if (!await FollowAsync(target, cancellationToken))
                        return RestError.Unavailable("The portal redirects to an address that the OAuth server does not vouch for.");
                    continue;
                }

                if (attempt.Error is not { } error)
                    return attempt.Result;
                if (portal is not null && !_renewed && (error.Code == RestErrors.ExpiredToken || RestErrors.IsInvalidToken(error.Code)))
                {
                    if (await RenewAsync(portal, error, cancellationToken) is { } failed)
                        return failed;
                    continue;
                }

                if (error.Code == RestErrors.OperationTimeLimit)
                    parts.Limits.Block(caller.Portal, call.Method, attempt.ResetAt);
                if (!MayRepeat(error) || repeats >= MaxRepeats || !await PauseAsync(repeats++, cancellationToken))
                    return error;
            }
        }

        private async Task<RestResult<Attempt>> SendAsync(CancellationToken cancellationToken)
        {
            if (portal is { IsAdministrator: false } && call.RequiresAdministrator)
                return RestError.NoAdministrator;
            if (parts.Limits.BlockedUntil(caller.Portal, call.Method) is { } until)
            {
                return new RestError(RestErrorKind.Refused, RestErrors.OperationTimeLimit,
                    $"Bitrix24 has blocked {call.Method} on this portal until {until:HH:mm:ss} UTC.");
            }

            var turn = await parts.Limits.EnterAsync(caller.Portal, _lane, Left, cancellationToken);
            if (!turn.Ok)
                return turn.Error;
            using (turn.Value)
            {
                return Left is { Ticks: > 0 } left
                    ? await parts.Transport.SendAsync(caller, call, left, cancellationToken) : PortalLimits.NotInTime;
            }
        }

        /// <summary>A limit did nothing; of a server's fault nobody knows, so only what may be repeated is.</summary>
        private bool MayRepeat(RestError error) => error.Code == RestErrors.QueryLimit || error.Kind == RestErrorKind.Unavailable
            || (error.Kind == RestErrorKind.OutcomeUnknown && call.MayRepeat);

        private async Task<bool> PauseAsync(int repeats, CancellationToken cancellationToken)
        {
            var pause = TimeSpan.FromMilliseconds(300 * Math.Pow(2, repeats) * (0.5 + Random.Shared.NextDouble()));
            if (pause >= Left)
                return false;
            await Task.Delay(pause, parts.Time, cancellationToken);
            return true;
        }

        /// <summary>Once per call. The error where there are no newer tokens.</summary>
        private async Task<RestError?> RenewAsync(Portal used, RestError error, CancellationToken cancellationToken)
        {
            if (error.Code == RestErrors.ExpiredToken)
                return await RefreshAsync(used, cancellationToken);
            _renewed = true;
            if (await parts.Tokens.ReplacedAsync(used, cancellationToken) is { } replaced)
                return Use(replaced);
            // What the portal does not know any more is replaced by an administrator's next page: refreshing is for expired tokens.
            await parts.Store.SetTokenStateAsync(used.Id, used.TokensVersion, TokenState.Failing, cancellationToken);
            if (used.Reserve is not { } reserve)
                return error;
            var isForGood = (await ConfirmAsync(cancellationToken)).Verdict == TokenVerdict.Invalid;
            // A system user's binds no placements: what the portal alone says does not put it in an administrator's place.
            return (isForGood || reserve.IsAdministrator)
                && await parts.Tokens.UseReserveAsync(used, isForGood, cancellationToken) is { Ok: true } withReserve
                ? Use(withReserve) : error;
        }

        private async Task<RestError?> RefreshAsync(Portal expired, CancellationToken cancellationToken)
        {
            _renewed = true;
            return Use(await parts.Tokens.RefreshAsync(expired, afresh: false, cancellationToken));
        }

        private RestError? Use(RestResult<Portal> renewed)
        {
            if (renewed.Ok)
                (portal, caller) = (renewed.Value, new(renewed.Value));
            return renewed.Error;
        }

        /// <summary>A redirect is a claim: only an address that the OAuth server names for this portal is followed, and kept.</summary>
        private async Task<bool> FollowAsync(Uri movedTo, CancellationToken cancellationToken)
        {
            if (_moved)
                return false;
            _moved = true;
            var confirmation = await ConfirmAsync(cancellationToken);
            if (confirmation.Verdict == TokenVerdict.Expired && portal is not null && !_renewed
                && await RefreshAsync(portal, cancellationToken) is null)
            {
                confirmation = await ConfirmAsync(cancellationToken);
            }

            if (confirmation.Info is not { ClientEndpoint: var endpoint } info || info.Id != caller.Portal
                || !parts.Hosts.IsAllowedPortal(endpoint.IdnHost) || HostRules.Origin(endpoint) != HostRules.Origin(movedTo))
            {
                return false;
            }

            caller = caller with { Endpoint = endpoint };
            if (portal is not null)
                await parts.Store.MoveAsync(portal.Id, endpoint, cancellationToken);
            Log.Moved(parts.Logger, caller.Portal);
            return true;
        }

        private Task<TokenConfirmation> ConfirmAsync(CancellationToken cancellationToken) =>
            parts.OAuth.ConfirmAsync(caller.AccessToken, caller.OAuthServer, ConfirmationTimeout, cancellationToken);
    }
}
