using System.Net;
using System.Net.Sockets;

namespace Bitrix24Placements.Rest;

/// <summary>Addresses that lead to no host of the internet's.</summary>
/// <remarks>https://www.iana.org/assignments/iana-ipv4-special-registry/,
/// https://www.iana.org/assignments/iana-ipv6-special-registry/</remarks>
internal static class SpecialAddresses
{
    private static readonly IPNetwork[] V4 = Parse(
    [
        "0.0.0.0/8", // this network
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", // private
        "100.64.0.0/10", // shared by a provider's customers
        "127.0.0.0/8", // loopback
        "168.63.129.16/32", // Azure's platform, inside every virtual network
        "169.254.0.0/16", // link-local, metadata of clouds
        "192.0.0.0/24", // protocol assignments
        "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", // documentation
        "192.31.196.0/24", "192.175.48.0/24", // AS112
        "192.52.193.0/24", // automatic multicast tunnelling
        "192.88.99.0/24", // 6to4 relays
        "198.18.0.0/15", // benchmarks
        "224.0.0.0/4", // multicast
        "240.0.0.0/4", // reserved, broadcast
    ]);

    /// <summary>All else is loopback, local, multicast, NAT64, IPv4 in disguise or not assigned.</summary>
    private static readonly IPNetwork GlobalV6 = IPNetwork.Parse("2000::/3");

    private static readonly IPNetwork[] V6 = Parse(
    [
        "2001::/23", // protocol assignments: Teredo, ORCHID, benchmarks
        "2001:db8::/32", // documentation
        "2002::/16", // 6to4
        "2620:4f:8000::/48", // AS112
        "3fff::/20", // documentation
    ]);

    public static bool Contains(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        return address.AddressFamily == AddressFamily.InterNetwork
            ? Array.Exists(V4, n => n.Contains(address))
            : !GlobalV6.Contains(address) || Array.Exists(V6, n => n.Contains(address));
    }

    private static IPNetwork[] Parse(string[] networks) => Array.ConvertAll(networks, IPNetwork.Parse);
}
