using System.Net;
using Bitrix24Placements.Refusals;
using Microsoft.AspNetCore.Connections;

namespace Bitrix24Placements.Hosting;

/// <summary>
/// A connection without a request costs memory, and places count requests alone: beyond a number those that have been idle for the
/// longest are closed. Idle is also who sends half a head, or does not read the answers that wait in the server's buffer. While memory is
/// short, or twice that number are open, an address that has a few gets no other: what is accepted waits in memory for a processor, too.
/// Others lose none where an address holds half of that number: it rather loses those that it used a moment ago. A known proxy's are all
/// somebody's.
/// </summary>
/// <param name="max">Null: as many as the memory of this machine, or container, has room for.</param>
internal sealed class ConnectionLimit(MemoryWatch memory, IOptions<ForwardedHeadersOptions> proxies, int? max = null)
{
    /// <summary>Some 35 KB with answers that nobody reads, 65 KB with the largest head; the rest is for requests.</summary>
    private const int BytesOfConnection = 192 * 1024;

    /// <summary>Of an address, in a crowd, while memory is short, and while it is all but full.</summary>
    private const int FewOfMany = 32, Few = 8, Fewest = 1;

    /// <summary>Times the number: so many are open though those that have been idle for long are closed.</summary>
    private const int Crowd = 2;

    /// <summary>Closed beside the surplus, so that not each new one makes another.</summary>
    private const int PartClosed = 32;

    /// <summary>In milliseconds: thousands come in a second, and each would look at thousands.</summary>
    private const int LookEvery = 50;

    /// <summary>In milliseconds: a request may be on its way, or wait for a processor.</summary>
    private const int Grace = 2000, GraceOfSurplus = 200;

    private readonly int _max = max ?? (int)Math.Clamp(memory.Available / BytesOfConnection, 256, int.MaxValue);
    private readonly Lock _lock = new();
    private readonly HashSet<OpenConnection> _open = [];
    private readonly Dictionary<string, int> _ofAddresses = [];
    private long _lookedAt;

    public ConnectionDelegate Watch(ConnectionDelegate next) => connection =>
        connection.RemoteEndPoint is IPEndPoint { Address: var address } && !Proxies.IsKnown(proxies.Value, address)
            ? WatchAsync(connection, ClientAddress.Of(address), next) : next(connection);

    private async Task WatchAsync(ConnectionContext connection, string address, ConnectionDelegate next)
    {
        var open = new OpenConnection(connection, address);
        connection.Features.Set(open);
        CloseIdlest();
        if (!TryEnter(open))
        {
            open.Close();
            return;
        }

        try
        {
            await next(connection);
        }
        finally
        {
            Leave(open);
        }
    }

    private bool IsCrowd => _open.Count >= _max * Crowd;

    private bool TryEnter(OpenConnection open)
    {
        lock (_lock)
        {
            var allowed = memory.IsFull ? Fewest : memory.IsShort ? Few : !IsCrowd ? int.MaxValue
                // One that makes the crowd alone leaves an office as many.
                : Math.Max(FewOfMany, _max / Math.Max(1, _ofAddresses.Count));
            var held = _ofAddresses.GetValueOrDefault(open.Address);
            if (held >= allowed)
                return false;
            _ofAddresses[open.Address] = held + 1;
            _open.Add(open);
            return true;
        }
    }

    private void Leave(OpenConnection open)
    {
        lock (_lock)
        {
            _open.Remove(open);
            if (_ofAddresses[open.Address] > 1)
                _ofAddresses[open.Address]--;
            else
                _ofAddresses.Remove(open.Address);
        }
    }

    private void CloseIdlest()
    {
        OpenConnection[] idlest;
        lock (_lock)
        {
            var now = Environment.TickCount64;
            if ((_open.Count < _max && !memory.IsShort) || now - _lookedAt < LookEvery)
                return;
            _lookedAt = now;
            idlest = Idlest(static _ => true, now, Grace);
            if ((IsCrowd || idlest.Any(o => !HasMuch(o))) && Idlest(HasMuch, now, GraceOfSurplus) is { Length: > 0 } surplus)
                idlest = surplus;
            _open.ExceptWith(idlest);
        }

        foreach (var open in idlest)
            open.Close();
    }

    private bool HasMuch(OpenConnection open) => _ofAddresses[open.Address] > _max / 2;

    // A new one's first request may be on its way for long.
    private OpenConnection[] Idlest(Func<OpenConnection, bool> whose, long now, int grace) =>
    [
        .. _open.Where(o => o.IsIdle && o.IdleSince <= now - (o.WasUsed ? grace : Grace) && whose(o)).OrderBy(static o => o.IdleSince)
            .Take(Math.Max(0, _open.Count - _max) + Math.Max(1, _max / PartClosed)),
    ];
}

/// <summary>How many requests a connection has: with HTTP/2 more than one.</summary>
internal sealed class OpenConnection(ConnectionContext connection, string address)
{
    /// <summary>In bytes, in memory: the server keeps the last one as long as the connection is open.</summary>
    private const int LargeHead = 8 * 1024;

    private int _requests;

    public string Address => address;

    /// <summary>For a request, at least once.</summary>
    public bool WasUsed { get; private set; }

    public bool IsIdle => Volatile.Read(ref _requests) == 0;

    /// <summary>In milliseconds since the system's start.</summary>
    public long IdleSince { get; private set; } = Environment.TickCount64;

    public void Close() => connection.Abort(new ConnectionAbortedException("Closed for newer connections."));

    public static async Task WhileBusyAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Features.Get<OpenConnection>() is not { } open)
        {
            await next(context);
            return;
        }

        if (RequestHead.BytesOf(context.Request) > LargeHead)
            context.Response.Headers.Connection = "close";
        Interlocked.Increment(ref open._requests);
        try
        {
            await next(context);
        }
        finally
        {
            open.WasUsed = true;
            open.IdleSince = Environment.TickCount64;
            Interlocked.Decrement(ref open._requests);
        }
    }
}
