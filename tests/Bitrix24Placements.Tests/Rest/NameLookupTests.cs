using System.Net;
using System.Net.Sockets;
using Bitrix24Placements.Rest;

namespace Bitrix24Placements.Tests.Rest;

public sealed class NameLookupTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_resolver_that_does_not_answer_holds_one_thread_for_a_name_and_none_of_the_pools()
    {
        using var silence = new ManualResetEventSlim();
        var held = new List<bool>();
        using var names = new NameLookup(_ =>
        {
            lock (held)
                held.Add(Thread.CurrentThread.IsThreadPoolThread);
            silence.Wait(Token);
            return [IPAddress.Loopback];
        });

        var asked = Enumerable.Range(0, 20).Select(_ => names.FindAsync("portal.example.com", Token)).ToList();
        silence.Set();

        Assert.All(await Task.WhenAll(asked), static found => Assert.Equal([IPAddress.Loopback], found));
        Assert.Equal([false], held);
    }

    [Fact]
    public async Task However_many_names_are_not_answered_they_hold_so_many_threads()
    {
        using var silence = new ManualResetEventSlim();
        var held = 0;
        using var names = new NameLookup(_ =>
        {
            Interlocked.Increment(ref held);
            silence.Wait(Token);
            return [IPAddress.Loopback];
        });

        var asked = Enumerable.Range(0, NameLookup.MaxThreads * 3).Select(i => names.FindAsync($"portal{i}.example.com", Token)).ToList();
        await Task.Delay(500, Token);
        Assert.Equal(NameLookup.MaxThreads, Volatile.Read(ref held));
        silence.Set();

        Assert.All(await Task.WhenAll(asked), static found => Assert.Equal([IPAddress.Loopback], found));
    }

    [Fact]
    public async Task A_name_is_looked_up_again_when_it_was_not_found()
    {
        var tried = 0;
        using var names = new NameLookup(_ => ++tried == 1 ? throw new SocketException((int)SocketError.HostNotFound) : [IPAddress.Loopback]);

        await Assert.ThrowsAsync<SocketException>(() => names.FindAsync("portal.example.com", Token));

        Assert.Equal([IPAddress.Loopback], await names.FindAsync("portal.example.com", Token));
    }

    [Fact]
    public async Task A_name_whose_servers_do_not_answer_is_not_asked_for_again_at_once()
    {
        var tried = 0;
        using var names = new NameLookup(_ =>
        {
            tried++;
            Thread.Sleep(1100);
            throw new SocketException((int)SocketError.TryAgain);
        });

        await Assert.ThrowsAsync<SocketException>(() => names.FindAsync("portal.example.com", Token));
        await Assert.ThrowsAsync<SocketException>(() => names.FindAsync("Portal.example.com", Token));

        Assert.Equal(1, tried);
    }

    [Fact]
    public async Task Nobody_waits_longer_than_he_wants_to()
    {
        using var silence = new ManualResetEventSlim();
        using var patience = new CancellationTokenSource();
        using var names = new NameLookup(_ =>
        {
            silence.Wait(Token);
            return [];
        });
        var asked = names.FindAsync("portal.example.com", patience.Token);

        await patience.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asked);
        silence.Set();
    }

    [Fact]
    public async Task An_address_is_its_own_answer() =>
        Assert.Equal([IPAddress.Parse("192.0.2.7")], await new NameLookup(static _ => throw new SocketException()).FindAsync("192.0.2.7", Token));
}
