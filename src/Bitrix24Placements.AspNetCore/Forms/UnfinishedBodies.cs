using Bitrix24Placements.Refusals;

namespace Bitrix24Placements.Forms;

/// <summary>Bodies that did not come with their head: so many altogether, and of each address. They take nobody else's place.</summary>
internal sealed class UnfinishedBodies
{
    public const int Max = 1024;

    public const int MaxPerAddress = 64;

    /// <summary>When half of all are taken, so that a few addresses do not take the rest.</summary>
    public const int MaxPerAddressWhenCrowded = 8;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, int> _byAddress = new(StringComparer.Ordinal);
    private int _count;

    /// <summary>Given back by disposing of it; null where there is none left for this address.</summary>
    public IDisposable? TryBegin(HttpContext context)
    {
        var address = ClientAddress.Of(context);
        lock (_lock)
        {
            var ofAddress = _byAddress.GetValueOrDefault(address);
            if (_count >= Max || ofAddress >= (_count < Max / 2 ? MaxPerAddress : MaxPerAddressWhenCrowded))
                return null;
            _count++;
            _byAddress[address] = ofAddress + 1;
        }

        return new Body(this, address);
    }

    private void End(string address)
    {
        lock (_lock)
        {
            _count--;
            if (--_byAddress[address] == 0)
                _byAddress.Remove(address);
        }
    }

    private sealed class Body(UnfinishedBodies bodies, string address) : IDisposable
    {
        public void Dispose() => bodies.End(address);
    }
}
