using System.Text.Json;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Rest;

namespace Bitrix24Placements;

public sealed partial class RestClient
{
    /// <summary>One call until its end: attempts, the tokens it uses now, the address it goes to now.</summary>
    private sealed class Conversation(RestClient client, RestCall call, Portal? portal, (TokenInfo Info, Secret Token)? user)
    {
        private const int MostRepeats = 6;

        private readonly long _started = client._time.GetTimestamp();
        private readonly PortalId _id = portal?.Id ?? user!.Value.Info.Id;
        private Portal? _portal = portal;
        private Uri _endpoint = portal?.ClientEndpoint ?? user!.Value.Info.ClientEndpoint;
        private bool _renewed;
        private bool _moved;

        private Secret Token => _portal?.Tokens?.Access ?? user!.Value.Token;

        private TimeSpan Left => call.Deadline - client._time.GetElapsedTime(_started);

        public async Task<RestResult<JsonElement>> RunAsync(CancellationToken cancellationToken)
        {
            for (var repeats = 0; ; repeats++)
            {
                if (client._limits.BlockedUntil(_id, call.Method) is { } until)
                    return new RestError(RestErrorKind.Refused, RestErrors.OperationTimeLimit, $"Bitrix24 has blocked {call.Method} on this portal until {until:HH:mm:ss} UTC.");
                if (!await client._limits.WaitAsync(_id, Left, cancellationToken) || Left <= TimeSpan.Zero)
                    return RestError.Unavailable("The portal's limit of calls per second left no room in time.");

                var attempt = await client._transport.SendAsync(_endpoint, call, Token, Left, cancellationToken);
                if (attempt.Carried)
                    return attempt.Result;
                // Neither an address nor tokens come by repeating the call.
                var error = attempt.Error;
                var mended = error is null ? new Renewal(await FollowAsync(attempt.MovedTo!, cancellationToken)) : await RenewTokenAsync(error, cancellationToken);
                if (mended is { Error: { } failed })
                    return failed;
                if (mended is not null || error is null)
                    continue;
                if (error.Code == RestErrors.OperationTimeLimit)
                    client._limits.Block(_id, call.Method, attempt.ResetAt);
                if (!MayRepeat(error) || repeats >= MostRepeats || !await PauseAsync(repeats, cancellationToken))
                    return error;
            }
        }

        /// <summary>A limit or a connection that never came about did nothing; of a server's fault nobody knows, so only what may be repeated is.</summary>
        private bool MayRepeat(RestError error) => error switch
        {
            { Code: RestErrors.QueryLimit } => true,
            { Kind: RestErrorKind.Unavailable } => true,
            { Kind: RestErrorKind.OutcomeUnknown } => call.MayRepeat,
            _ => false,
        };

        private async Task<bool> PauseAsync(int repeats, CancellationToken cancellationToken)
        {
            var pause = TimeSpan.FromMilliseconds(300 * Math.Pow(2, repeats) * (0.5 + Random.Shared.NextDouble()));
            if (pause >= Left)
                return false;
            await Task.Delay(pause, client._time, cancellationToken);
            return true;
        }

        private readonly record struct Renewal(RestError? Error);

        /// <summary>Once per call: newer tokens if the portal found ours expired or unknown. Null where that was not the trouble, or where there are none.</summary>
        private async Task<Renewal?> RenewTokenAsync(RestError error, CancellationToken cancellationToken)
        {
            if (_portal is null || _renewed)
                return null;
            if (error.Code == RestErrors.ExpiredToken)
            {
                _renewed = true;
                var refreshed = await client._tokens.RefreshAsync(_portal, afresh: false, cancellationToken);
                return refreshed.Ok ? Use(refreshed.Value) : new Renewal(refreshed.Error);
            }

            if (!RestErrors.IsInvalidToken(error.Code))
                return null;
            if (await client._tokens.ReplacedAsync(_portal, cancellationToken) is { } now)
            {
                _renewed = true;
                return Use(now);
            }

            // Refreshing is for expired tokens; what the portal does not know any more is replaced by the next page of an administrator.
            await client._store.SetTokenStateAsync(_id, _portal.TokensVersion, TokenState.Failing, cancellationToken);
            return null;
        }

        private Renewal Use(Portal portal)
        {
            _portal = portal;
            _endpoint = portal.ClientEndpoint;
            return new(null);
        }

        /// <summary>A redirect is a claim as well: only an address that the OAuth server names for this portal is followed, and kept.</summary>
        private async Task<RestError?> FollowAsync(Uri movedTo, CancellationToken cancellationToken)
        {
            var refused = RestError.Unavailable("The portal redirects to an address that the OAuth server does not vouch for.");
            if (_moved)
                return refused;
            _moved = true;
            var server = _portal?.OAuthServer ?? user!.Value.Info.Server;
            var confirmation = await client._oauth.ConfirmAsync(Token, server, TimeSpan.FromSeconds(5), cancellationToken);
            if (confirmation.Verdict == TokenVerdict.Expired && await RenewTokenAsync(new(RestErrorKind.Refused, RestErrors.ExpiredToken, ""), cancellationToken) is { Error: null })
                confirmation = await client._oauth.ConfirmAsync(Token, server, TimeSpan.FromSeconds(5), cancellationToken);
            if (confirmation.Info is not { } info || info.Id != _id || !client._hosts.IsAllowedPortal(info.ClientEndpoint.Host)
                || info.ClientEndpoint.GetLeftPart(UriPartial.Authority) != movedTo.GetLeftPart(UriPartial.Authority))
            {
                return refused;
            }

            _endpoint = info.ClientEndpoint;
            if (_portal is not null)
                await client._store.MoveAsync(_id, info.ClientEndpoint, cancellationToken);
            Log.Moved(client._logger, _id);
            return null;
        }
    }
}
