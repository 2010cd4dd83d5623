using Bitrix24Placements.Portals;
using Bitrix24Placements.Rest;

namespace Bitrix24Placements;

public sealed partial class RestClient
{
    private sealed class Conversation
    {
        private const int MaxRepeats = 6;

        private static readonly TimeSpan ConfirmationTimeout = TimeSpan.FromSeconds(5);

        private readonly RestParts _with;
        private readonly RestCall _call;
        private readonly CallLane _lane;
        private readonly long _started;
        private UserAccess _caller;

        /// <summary>Null where a user calls, whose tokens nobody renews here.</summary>
        private Portal? _portal;

        private bool _renewed;
        private bool _moved;

        public Conversation(RestParts parts, RestCall call, UserAccess user)
        {
            (_with, _call, _caller, _lane) = (parts, call, user, call.IsOwn ? CallLane.Administrator : CallLane.User);
            _started = parts.Time.GetTimestamp();
        }

        public Conversation(RestParts parts, RestCall call, Portal portal)
            : this(parts, call, AccessOf(portal)) => (_portal, _lane) = (portal, call.IsOwn ? CallLane.Own : CallLane.App);

        private TimeSpan Left => _call.Deadline - _with.Time.GetElapsedTime(_started);

        public async Task<RestResult<JsonElement>> RunAsync(CancellationToken cancellationToken)
        {
            var repeats = 0;
            while (true)
            {
                var sent = await SendAsync(cancellationToken);
                if (!sent.Ok)
                    return sent.Error;
                var attempt = sent.Value;
                if (attempt.Carried)
                    return attempt.Result;
                // Neither an address nor tokens come by repeating the call.
                if (attempt.MovedTo is { } target)
                {
                    if (!await FollowAsync(target, cancellationToken))
                        return RestError.Unavailable("The portal redirects to an address that the OAuth server does not vouch for.");
                    continue;
                }

                var error = attempt.Error!;
                if (_portal is not null && !_renewed && (error.Code == RestErrors.ExpiredToken || RestErrors.IsInvalidToken(error.Code)))
                {
                    if (await RenewAsync(_portal, error, cancellationToken) is { } failed)
                        return failed;
                    continue;
                }

                if (error.Code == RestErrors.OperationTimeLimit)
                    _with.Limits.Block(_caller.Portal, _call.Method, attempt.ResetAt);
                if (!MayRepeat(error) || repeats >= MaxRepeats || !await PauseAsync(repeats++, cancellationToken))
                    return error;
            }
        }

        private static UserAccess AccessOf(Portal portal) =>
            new(portal.Id, portal.ClientEndpoint, portal.OAuthServer, portal.UserId, portal.Tokens?.Access ?? default);

        private async Task<RestResult<Attempt>> SendAsync(CancellationToken cancellationToken)
        {
            if (_portal is { IsAdministrator: false } && _call.RequiresAdministrator)
                return RestError.NoAdministrator;
            if (_with.Limits.BlockedUntil(_caller.Portal, _call.Method) is { } until)
            {
                var description = $"Bitrix24 has blocked {_call.Method} on this portal until {until:HH:mm:ss} UTC.";
                return new RestError(RestErrorKind.Refused, RestErrors.OperationTimeLimit, description);
            }

            var turn = await _with.Limits.EnterAsync(_caller.Portal, _lane, Left, cancellationToken);
            if (!turn.Ok)
                return turn.Error;
            using (turn.Value)
            {
                return Left is { Ticks: > 0 } left
                    ? await _with.Transport.SendAsync(
                        _caller.Portal, _caller.Endpoint, _call, _caller.AccessToken, left, cancellationToken)
                    : PortalLimits.NotInTime;
            }
        }

        /// <summary>A limit did nothing; of a server's fault nobody knows, so only what may be repeated is.</summary>
        private bool MayRepeat(RestError error) => error switch
        {
            { Code: RestErrors.QueryLimit } => true,
            { Kind: RestErrorKind.Unavailable } => true,
            { Kind: RestErrorKind.OutcomeUnknown } => _call.MayRepeat,
            _ => false,
        };

        private async Task<bool> PauseAsync(int repeats, CancellationToken cancellationToken)
        {
            var pause = TimeSpan.FromMilliseconds(300 * Math.Pow(2, repeats) * (0.5 + Random.Shared.NextDouble()));
            if (pause >= Left)
                return false;
            await Task.Delay(pause, _with.Time, cancellationToken);
            return true;
        }

        /// <summary>Once per call. The error where there are no newer tokens.</summary>
        private async Task<RestError?> RenewAsync(Portal portal, RestError error, CancellationToken cancellationToken)
        {
            _renewed = true;
            if (error.Code == RestErrors.ExpiredToken)
            {
                var refreshed = await _with.Tokens.RefreshAsync(portal, afresh: false, cancellationToken);
                return refreshed.Ok ? Use(refreshed.Value) : refreshed.Error;
            }

            if (await _with.Tokens.ReplacedAsync(portal, cancellationToken) is { } replaced)
                return replaced.Ok ? Use(replaced.Value) : replaced.Error;
            // What the portal does not know any more is replaced by an administrator's next page: refreshing is for expired tokens.
            await _with.Store.SetTokenStateAsync(portal.Id, portal.TokensVersion, TokenState.Failing, cancellationToken);
            return portal.Reserve is not null
                && await _with.Tokens.UseReserveAsync(portal, cancellationToken) is { Ok: true, Value: { } withReserve }
                ? Use(withReserve) : error;
        }

        private RestError? Use(Portal portal)
        {
            (_portal, _caller) = (portal, AccessOf(portal));
            return null;
        }

        /// <summary>A redirect is a claim: only an address that the OAuth server names for this portal is followed, and kept.</summary>
        private async Task<bool> FollowAsync(Uri movedTo, CancellationToken cancellationToken)
        {
            if (_moved)
                return false;
            _moved = true;
            var confirmation = await ConfirmAsync(cancellationToken);
            if (confirmation.Verdict == TokenVerdict.Expired && _portal is not null && !_renewed)
            {
                _renewed = true;
                var refreshed = await _with.Tokens.RefreshAsync(_portal, afresh: false, cancellationToken);
                if (refreshed.Ok && Use(refreshed.Value) is null)
                    confirmation = await ConfirmAsync(cancellationToken);
            }

            if (confirmation.Info is not { ClientEndpoint: var endpoint } info || info.Id != _caller.Portal
                || !_with.Hosts.IsAllowedPortal(endpoint.IdnHost) || HostRules.Origin(endpoint) != HostRules.Origin(movedTo))
            {
                return false;
            }

            _caller = _caller with { Endpoint = endpoint };
            if (_portal is not null)
                await _with.Store.MoveAsync(_portal.Id, endpoint, cancellationToken);
            Log.Moved(_with.Logger, _caller.Portal);
            return true;
        }

        private Task<TokenConfirmation> ConfirmAsync(CancellationToken cancellationToken) =>
            _with.OAuth.ConfirmAsync(_caller.AccessToken, _caller.OAuthServer, ConfirmationTimeout, cancellationToken);
    }
}
