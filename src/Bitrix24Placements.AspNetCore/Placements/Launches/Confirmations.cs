using System.Collections.Concurrent;
using System.Threading.RateLimiting;
using Bitrix24Placements.Refusals;
using Bitrix24Placements.Rest;
using Microsoft.Extensions.Options;

namespace Bitrix24Placements.Placements;

/// <summary>Asks OAuth servers whose tokens these are: so many at a time, of one portal not more than its share, and of one token once
/// however many ask.</summary>
internal sealed class Confirmations(OAuthClient oauth, IOptions<LimitsOptions> options) : IAsyncDisposable
{
    /// <summary>For all OAuth servers together, waiting for a place included: a person is waiting, and gets an answer within three seconds
    /// of a busy machine too.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2.75);

    /// <summary>No portal holds more than this part of the places.</summary>
    private const int PortalShare = 8;

    private static readonly TokenConfirmation NoAnswer = new(TokenVerdict.NoAnswer);

    private readonly ConcurrentDictionary<(string Token, Uri? Server), Lazy<Task<Answer>>> _running = new();
    private readonly ConcurrencyLimiter _places = new(Limits(options.Value.ConcurrentConfirmations, options.Value.ConcurrentConfirmations));
    private readonly PartitionedRateLimiter<string> _portals = PartitionedRateLimiter.Create<string, string>(
        memberId => RateLimitPartition.GetConcurrencyLimiter(
            memberId, _ =>
                Limits(Math.Max(1, options.Value.ConcurrentConfirmations / PortalShare), options.Value.ConcurrentConfirmations)));

    /// <param name="Rejection">Why nobody was asked, or nobody answered.</param>
    private readonly record struct Answer(TokenConfirmation Confirmation, Rejection? Rejection);

    /// <param name="memberId">The portal that is claimed.</param>
    /// <param name="server">Null: the configured ones in order.</param>
    public async Task<Checked<TokenInfo>> AskAsync(string memberId, Secret token, Uri? server, CancellationToken cancellationToken)
    {
        var (confirmation, rejection) = await ShareAsync(memberId, token, server, cancellationToken);
        return rejection is not null ? rejection : confirmation.Info is { } info ? info : Rejection.NotVerified;
    }

    /// <summary>For whoever has to know more of a refusal. Where there is no room, there is no answer.</summary>
    public async Task<TokenConfirmation> ConfirmAsync(string memberId, Secret token, Uri? server, CancellationToken cancellationToken) =>
        (await ShareAsync(memberId, token, server, cancellationToken)).Confirmation;

    private async Task<Answer> ShareAsync(string memberId, Secret token, Uri? server, CancellationToken cancellationToken)
    {
        var key = (ConfirmedTokens.Key(token), server);
        // Whoever asks first does not take the answer away from the others when he leaves.
        var asking = _running.GetOrAdd(key, _ => new(() => AskOnceAsync(memberId, token, server)));
        try
        {
            return await asking.Value.WaitAsync(cancellationToken);
        }
        finally
        {
            _running.TryRemove(KeyValuePair.Create(key, asking));
        }
    }

    private async Task<Answer> AskOnceAsync(string memberId, Secret token, Uri? server)
    {
        try
        {
            using var timeout = new CancellationTokenSource(Timeout);
            using var share = await _portals.AcquireAsync(memberId, 1, timeout.Token);
            using var place = share.IsAcquired ? await _places.AcquireAsync(1, timeout.Token) : share;
            if (!place.IsAcquired)
                return new(NoAnswer, Rejection.Overloaded);
            var confirmation = await oauth.ConfirmAsync(token, server, Timeout, timeout.Token);
            return new(confirmation, confirmation.Verdict == TokenVerdict.NoAnswer ? Rejection.Unavailable : null);
        }
        catch (OperationCanceledException)
        {
            return new(NoAnswer, Rejection.Unavailable);
        }
    }

    private static ConcurrencyLimiterOptions Limits(int max, int queue) =>
        new() { PermitLimit = max, QueueLimit = queue, QueueProcessingOrder = QueueProcessingOrder.OldestFirst };

    public async ValueTask DisposeAsync()
    {
        await _portals.DisposeAsync();
        await _places.DisposeAsync();
    }
}
