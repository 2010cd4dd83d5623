using System.Threading.RateLimiting;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Refusals;
using Bitrix24Placements.Rest;

namespace Bitrix24Placements.Placements;

/// <summary>Who asks about a token: the address from which it came, empty where that is not known any more, and the portal it is said to
/// be of.</summary>
internal readonly record struct Asker(string Address, string MemberId);

/// <summary>Asks OAuth servers whose tokens these are: for one portal, for one address, and for one address about one portal not more than
/// their share, and about one token once however many ask.</summary>
internal sealed class Confirmations(OAuthClient oauth, HostRules hosts, PortalStore portals, IOptions<LimitsOptions> options)
    : IAsyncDisposable
{
    /// <summary>For all OAuth servers together, waiting included: a person gets an answer within three seconds.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2.5);

    private readonly ConcurrentDictionary<(string Token, Uri? Server), Lazy<Task<TokenConfirmation>>> _running = new();

    /// <summary>Whoever makes portals up takes nothing of what is there for those that are installed. A chain does not dispose of its
    /// links.</summary>
    private readonly PartitionedRateLimiter<(Asker Who, bool IsInstalled)>[] _shares =
    [
        Places(options, 1 / 16.0, asking => asking.Who),
        Places(options, 1 / 16.0, asking => (asking.Who.Address, asking.IsInstalled), ofInstalled: 1 / 8.0),
        Places(options, 1 / 8.0, asking => asking.Who.MemberId),
        Places(options, 1 / 2.0, asking => asking.IsInstalled),
    ];

    private PartitionedRateLimiter<(Asker Who, bool IsInstalled)> Chain => field ??= PartitionedRateLimiter.CreateChained(_shares);

    /// <summary>Not given up where who has asked goes away: otherwise it would cost him nothing to have asked.</summary>
    /// <param name="server">As claimed. Where it is no configured one, that of the portal is asked, else all in order.</param>
    public async Task<TokenConfirmation> AskAsync(Asker who, Secret token, string? server)
    {
        var known = await portals.KnownAllAsync(who.MemberId, CancellationToken.None);
        var asked = hosts.ConfiguredOAuthServer(server)
            ?? (known is [var first, ..] ? hosts.ConfiguredOAuthServer(first.OAuthServer.AbsoluteUri) : null);
        var key = (ConfirmedTokens.Key(token), asked);
        var isInstalled = known.Any(k => k.State == PortalState.Installed);
        var asking = _running.GetOrAdd(key, _ => new(() => AskOnceAsync((who, isInstalled), token, asked)));
        try
        {
            return await asking.Value;
        }
        finally
        {
            _running.TryRemove(KeyValuePair.Create(key, asking));
        }
    }

    /// <summary>Asks, and gives the user or why the request is refused.</summary>
    public async Task<Checked<TokenInfo>> UserAsync(Asker who, Secret token, string? server) =>
        await AskAsync(who, token, server) switch
        {
            { Info: { } user } when user.Id.MemberId == who.MemberId => user,
            { Verdict: TokenVerdict.NotAsked } => Rejection.Overloaded,
            { Verdict: TokenVerdict.NoAnswer } => Rejection.Unavailable,
            _ => Rejection.NotVerified,
        };

    private async Task<TokenConfirmation> AskOnceAsync((Asker Who, bool IsInstalled) asking, Secret token, Uri? server)
    {
        try
        {
            using var timeout = new CancellationTokenSource(Timeout);
            using var place = await Chain.AcquireAsync(asking, 1, timeout.Token);
            return place.IsAcquired ? await oauth.ConfirmAsync(token, server, Timeout, timeout.Token) : new(TokenVerdict.NotAsked);
        }
        catch (OperationCanceledException)
        {
            return new(TokenVerdict.NoAnswer);
        }
    }

    private static PartitionedRateLimiter<(Asker Who, bool IsInstalled)> Places<TKey>(
        IOptions<LimitsOptions> options, double share, Func<(Asker Who, bool IsInstalled), TKey> sharer, double? ofInstalled = null)
        where TKey : notnull => PartitionedRateLimiter.Create<(Asker Who, bool IsInstalled), TKey>(
        asking => RateLimitPartition.GetConcurrencyLimiter(sharer(asking), _ => new()
        {
            PermitLimit = Math.Max(
                1, (int)(options.Value.ConcurrentConfirmations * (asking.IsInstalled ? ofInstalled ?? share : share))),
            QueueLimit = options.Value.ConcurrentConfirmations,
        }));

    public async ValueTask DisposeAsync()
    {
        foreach (var share in _shares)
            await share.DisposeAsync();
    }
}
