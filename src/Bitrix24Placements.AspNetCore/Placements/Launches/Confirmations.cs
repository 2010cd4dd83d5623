using System.Threading.RateLimiting;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Refusals;
using Bitrix24Placements.Rest;

namespace Bitrix24Placements.Placements;

/// <summary>Asks OAuth servers whose tokens these are: of one portal not more than its share, and of one token once however many
/// ask.</summary>
internal sealed class Confirmations(OAuthClient oauth, HostRules hosts, PortalStore portals, IOptions<LimitsOptions> options)
    : IAsyncDisposable
{
    /// <summary>For all OAuth servers together, waiting included: a person gets an answer within three seconds.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2.75);

    /// <summary>Of the places, for one portal.</summary>
    private const int PortalShare = 8;

    private readonly ConcurrentDictionary<(string Token, Uri? Server), Lazy<Task<TokenConfirmation>>> _running = new();
    private readonly ConcurrencyLimiter _places = new(Limits(options, share: 1));
    private readonly PartitionedRateLimiter<string> _portals = PartitionedRateLimiter.Create<string, string>(
        memberId => RateLimitPartition.GetConcurrencyLimiter(memberId, _ => Limits(options, PortalShare)));

    /// <param name="server">As claimed. Where it is no configured one, that of the portal is asked, else all in order.</param>
    public async Task<TokenConfirmation> AskAsync(string memberId, Secret token, string? server, CancellationToken cancellationToken)
    {
        var asked = hosts.ConfiguredOAuthServer(server)
            ?? (await portals.KnownAllAsync(memberId, cancellationToken) is [var known, ..]
                ? hosts.ConfiguredOAuthServer(known.OAuthServer.AbsoluteUri) : null);
        var key = (ConfirmedTokens.Key(token), asked);
        // Whoever asks first does not take the answer away from the others when he leaves.
        var asking = _running.GetOrAdd(key, _ => new(() => AskOnceAsync(memberId, token, asked)));
        try
        {
            return await asking.Value.WaitAsync(cancellationToken);
        }
        finally
        {
            _running.TryRemove(KeyValuePair.Create(key, asking));
        }
    }

    /// <summary>Asks, and gives the user or why the request is refused.</summary>
    public async Task<Checked<TokenInfo>> UserAsync(
        string memberId, Secret token, string? server, CancellationToken cancellationToken) =>
        await AskAsync(memberId, token, server, cancellationToken) switch
        {
            { Info: { } user } when user.Id.MemberId == memberId => user,
            { Verdict: TokenVerdict.NotAsked } => Rejection.Overloaded,
            { Verdict: TokenVerdict.NoAnswer } => Rejection.Unavailable,
            _ => Rejection.NotVerified,
        };

    private async Task<TokenConfirmation> AskOnceAsync(string memberId, Secret token, Uri? server)
    {
        try
        {
            using var timeout = new CancellationTokenSource(Timeout);
            using var share = await _portals.AcquireAsync(memberId, 1, timeout.Token);
            using var place = share.IsAcquired ? await _places.AcquireAsync(1, timeout.Token) : share;
            return place.IsAcquired ? await oauth.ConfirmAsync(token, server, Timeout, timeout.Token) : new(TokenVerdict.NotAsked);
        }
        catch (OperationCanceledException)
        {
            return new(TokenVerdict.NoAnswer);
        }
    }

    private static ConcurrencyLimiterOptions Limits(IOptions<LimitsOptions> options, int share) => new()
    {
        PermitLimit = Math.Max(1, options.Value.ConcurrentConfirmations / share),
        QueueLimit = options.Value.ConcurrentConfirmations,
        QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
    };

    public async ValueTask DisposeAsync()
    {
        await _portals.DisposeAsync();
        await _places.DisposeAsync();
    }
}
