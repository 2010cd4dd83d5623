using System.Threading.RateLimiting;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Refusals;
using Bitrix24Placements.Rest;

namespace Bitrix24Placements.Placements;

/// <param name="Address">Empty where it is not known any more.</param>
/// <param name="ApplicationToken">Null for who has a session of that portal.</param>
internal readonly record struct Asker(string Address, string MemberId, Secret? ApplicationToken);

/// <summary>Asks OAuth servers whose tokens these are: for one portal, one address, and one address about one portal not more than their
/// share, and about one token once.</summary>
internal sealed class Confirmations(OAuthClient oauth, HostRules hosts, PortalStore portals, IOptions<LimitsOptions> options)
    : IAsyncDisposable
{
    /// <summary>For all OAuth servers together, waiting included: a person gets an answer within three seconds.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2.5);

    private readonly ConcurrentDictionary<(string Token, Uri? Server), Lazy<Task<TokenConfirmation>>> _running = new();

    /// <summary>Whoever knows less takes nothing of what is there for who knows more. A chain does not dispose of its links.</summary>
    private readonly PartitionedRateLimiter<Asking>[] _shares =
    [
        Places(options, asking => (asking.Who.Address, asking.Who.MemberId, asking.Knows), _ => 1 / 16.0),
        Places(options, asking => (asking.Who.Address, asking.Knows), knows => knows == Knowledge.ApplicationToken ? 1 / 8.0 : 1 / 16.0),
        Places(options, asking => (asking.Who.MemberId, asking.Knows), knows => knows == Knowledge.MemberId ? 1 / 16.0 : 1 / 8.0),
        Places(options, asking => asking.Knows, knows => knows switch
        {
            Knowledge.ApplicationToken => 4 / 8.0,
            Knowledge.MemberId => 1 / 8.0,
            _ => 3 / 8.0,
            // Whoever waits here is within the other shares.
        }, maxWaiting: int.MaxValue),
    ];

    private PartitionedRateLimiter<Asking> Chain => field ??= PartitionedRateLimiter.CreateChained(_shares);

    /// <summary>Not given up where who has asked goes away: otherwise asking would cost nothing.</summary>
    /// <param name="server">As claimed; else that of the portal is asked, else all in order.</param>
    public async Task<TokenConfirmation> AskAsync(Asker who, Secret token, string? server)
    {
        var known = await portals.KnownAllAsync(who.MemberId, CancellationToken.None);
        var asked = hosts.ConfiguredOAuthServer(server)
            ?? (known is [var first, ..] ? hosts.ConfiguredOAuthServer(first.OAuthServer.AbsoluteUri) : null);
        var key = (ConfirmedTokens.Key(token), asked);
        return await _running.GetOrAdd(key, _ => new(() => AskOnceAsync(key, new(who, KnowledgeOf(who, known)), token))).Value;
    }

    public async Task<Checked<TokenInfo>> UserAsync(Asker who, Secret token, string? server) =>
        await AskAsync(who, token, server) switch
        {
            { Info: { } user } when user.Id.MemberId == who.MemberId => user,
            { Verdict: TokenVerdict.NotAsked } => Rejection.Overloaded,
            { Verdict: TokenVerdict.NoAnswer } => Rejection.Unavailable,
            _ => Rejection.NotVerified,
        };

    private async Task<TokenConfirmation> AskOnceAsync((string Token, Uri? Server) key, Asking asking, Secret token)
    {
        try
        {
            using var timeout = new CancellationTokenSource(Timeout);
            using var place = await Chain.TakeAsync(asking, timeout.Token);
            return place.IsAcquired ? await oauth.ConfirmAsync(token, key.Server, Timeout, timeout.Token) : new(TokenVerdict.NotAsked);
        }
        catch (OperationCanceledException)
        {
            return new(TokenVerdict.NoAnswer);
        }
        finally
        {
            _running.TryRemove(key, out _);
        }
    }

    private static Knowledge KnowledgeOf(Asker who, IReadOnlyList<KnownPortal> known) =>
        who.ApplicationToken is not { } token || known.Any(k => k.AcceptsApplicationToken(token)) ? Knowledge.ApplicationToken
        : known.Any(k => k.State == PortalState.Installed) ? Knowledge.MemberId
        : Knowledge.Nothing;

    private static PartitionedRateLimiter<Asking> Places<TKey>(
        IOptions<LimitsOptions> options, Func<Asking, TKey> sharer, Func<Knowledge, double> share, int? maxWaiting = null)
        where TKey : notnull => PartitionedRateLimiter.Create<Asking, TKey>(
        asking => RateLimitPartition.GetConcurrencyLimiter(sharer(asking), _ => new()
        {
            PermitLimit = Math.Max(1, (int)(options.Value.ConcurrentConfirmations * share(asking.Knows))),
            QueueLimit = maxWaiting ?? options.Value.ConcurrentConfirmations,
        }));

    public async ValueTask DisposeAsync()
    {
        foreach (var share in _shares)
            await share.DisposeAsync();
    }

    /// <summary>Its own people know a portal's application_token, unless it is too old to send one.</summary>
    private enum Knowledge
    {
        Nothing,
        MemberId,
        ApplicationToken,
    }

    private readonly record struct Asking(Asker Who, Knowledge Knows);
}
