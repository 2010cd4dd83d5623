using System.Net;
using System.Net.Sockets;
using System.Threading.RateLimiting;
using Microsoft.Extensions.Options;

namespace Bitrix24Placements.Refusals;

/// <summary>Counts attempts that failed. Only what is not verified from memory asks here, so nobody can lock out those who are known.</summary>
internal sealed class UnverifiedAttempts(IOptions<LimitsOptions> options) : IAsyncDisposable
{
    /// <summary>One address may stand for an office full of people, or for somebody who tries one member_id after another.</summary>
    private const int PortalsPerAddress = 10;

    private readonly Lazy<PartitionedRateLimiter<(string Address, string Subject)>> _pairs = new(() => Create(options.Value.UnverifiedPerMinute));
    private readonly Lazy<PartitionedRateLimiter<(string Address, string Subject)>> _addresses = new(() => Create(options.Value.UnverifiedPerMinute * PortalsPerAddress));

    /// <summary>Whether another attempt may be made; counts nothing.</summary>
    public bool MayTry(HttpContext context, string subject)
    {
        // Nobody has failed yet.
        if (!_pairs.IsValueCreated)
            return true;
        var address = AddressOf(context.Connection.RemoteIpAddress);
        using var pair = _pairs.Value.AttemptAcquire((address, subject), 0);
        using var alone = _addresses.Value.AttemptAcquire((address, ""), 0);
        return pair.IsAcquired && alone.IsAcquired;
    }

    public void Failed(HttpContext context, string subject)
    {
        var address = AddressOf(context.Connection.RemoteIpAddress);
        _pairs.Value.AttemptAcquire((address, subject)).Dispose();
        _addresses.Value.AttemptAcquire((address, "")).Dispose();
    }

    private static PartitionedRateLimiter<(string, string)> Create(int perMinute) =>
        PartitionedRateLimiter.Create<(string, string), (string, string)>(key => RateLimitPartition.GetFixedWindowLimiter(key, _ => new FixedWindowRateLimiterOptions
        {
            PermitLimit = perMinute,
            Window = TimeSpan.FromMinutes(1),
            QueueLimit = 0,
        }));

    /// <summary>A subscriber has a whole /64 of IPv6: it counts as one address.</summary>
    private static string AddressOf(IPAddress? address)
    {
        if (address is null)
            return "";
        if (address.IsIPv4MappedToIPv6)
            return address.MapToIPv4().ToString();
        return address.AddressFamily == AddressFamily.InterNetworkV6 ? Convert.ToHexString(address.GetAddressBytes().AsSpan(0, 8)) : address.ToString();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_pairs.IsValueCreated)
            return;
        await _pairs.Value.DisposeAsync();
        await _addresses.Value.DisposeAsync();
    }
}
