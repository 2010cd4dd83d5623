using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Options;

namespace Bitrix24Placements.Rest;

/// <summary>Which hosts may be talked to: the portals that are allowed, the OAuth servers that are configured, no private network by accident.</summary>
internal sealed class HostRules
{
    private readonly bool _allowInsecure;
    private readonly string[] _allowedPortals;
    private readonly NameLookup _names = new(Dns.GetHostAddresses);

    public HostRules(IOptions<Bitrix24Options> options)
    {
        _allowInsecure = options.Value.AllowInsecureHttp;
        _allowedPortals = options.Value.AllowedPortals;
        OAuthServers = [.. options.Value.OAuthServers.Select(static s => new Uri(new Uri(s).GetLeftPart(UriPartial.Authority))).Distinct()];
    }

    /// <summary>Origins, in their configured order, each once.</summary>
    public IReadOnlyList<Uri> OAuthServers { get; }

    /// <summary>The configured server that an address such as <c>https://oauth.bitrix.info/rest/</c> names, by whole origin; null if it is none of them.</summary>
    public Uri? ConfiguredOAuthServer(string? address)
    {
        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || uri.UserInfo.Length != 0)
            return null;
        var origin = uri.GetLeftPart(UriPartial.Authority);
        foreach (var server in OAuthServers)
        {
            if (server.GetLeftPart(UriPartial.Authority).Equals(origin, StringComparison.OrdinalIgnoreCase))
                return server;
        }

        return null;
    }

    public bool IsAllowedPortal(string host)
    {
        if (_allowedPortals.Length == 0)
            return true;
        return IsListed(host);
    }

    /// <summary>A portal's REST base as the OAuth server gave it, with a trailing slash; null where it cannot be one.</summary>
    public Uri? PortalEndpoint(string? clientEndpoint)
    {
        if (!Uri.TryCreate(clientEndpoint, UriKind.Absolute, out var uri)
            || uri.UserInfo.Length != 0 || uri.Query.Length != 0 || uri.Fragment.Length != 0
            || !MayUse(uri))
        {
            return null;
        }

        return uri.AbsolutePath.EndsWith('/') ? uri : new Uri(uri.AbsoluteUri + "/");
    }

    /// <summary>Scheme and form of a host, before any name is looked up.</summary>
    public bool MayUse(Uri uri)
    {
        if (_allowInsecure)
            return uri.Scheme == Uri.UriSchemeHttps || uri.Scheme == Uri.UriSchemeHttp;
        return uri.Scheme == Uri.UriSchemeHttps && uri.HostNameType == UriHostNameType.Dns && uri.Host.Contains('.') && !uri.IsLoopback;
    }

    /// <summary>The addresses of a portal's host that may be connected to. Asked at connect, so that a name cannot change between check and use.</summary>
    /// <exception cref="HttpRequestException">Every address is private, link-local or loopback.</exception>
    public async Task<IPAddress[]> ResolvePortalAsync(string host, CancellationToken cancellationToken)
    {
        var addresses = await _names.FindAsync(host, cancellationToken);
        if (_allowInsecure || IsListed(host))
            return addresses;
        var permitted = Array.FindAll(addresses, static a => !IsInternal(a));
        return permitted.Length > 0
            ? permitted
            : throw new HttpRequestException(HttpRequestError.NameResolutionError, "The portal's name resolves to an internal address, and the host is not listed in Bitrix24:AllowedPortals.");
    }

    public static bool IsInternal(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        if (address.AddressFamily == AddressFamily.InterNetworkV6)
            return IPAddress.IsLoopback(address) || IsInternalV6(address);
        Span<byte> b = stackalloc byte[4];
        address.TryWriteBytes(b, out _);
        return b[0] is 0 or 10 or 127 or >= 224
            || (b[0] == 100 && (b[1] & 0xC0) == 64)
            || (b[0] == 169 && b[1] == 254)
            || (b[0] == 172 && (b[1] & 0xF0) == 16)
            || (b[0] == 192 && b[1] == 168)
            || (b[0] == 192 && b[1] == 0 && b[2] == 0)
            || (b[0] == 198 && (b[1] & 0xFE) == 18);
    }

    private static bool IsInternalV6(IPAddress address)
    {
        Span<byte> b = stackalloc byte[16];
        address.TryWriteBytes(b, out _);
        // IPv4-compatible, NAT64, 6to4 and Teredo carry an IPv4 address inside: none of them leads to a portal that has no IPv4 of its own.
        return address.IsIPv6LinkLocal || address.IsIPv6SiteLocal || address.IsIPv6UniqueLocal || address.IsIPv6Multicast || address.IsIPv6Teredo
            || b[..12].IndexOfAnyExcept((byte)0) < 0
            || (b[0] == 0x00 && b[1] == 0x64 && b[2] == 0xFF && b[3] == 0x9B)
            || (b[0] == 0x20 && b[1] == 0x02);
    }

    private bool IsListed(string host)
    {
        foreach (var pattern in _allowedPortals)
        {
            if (pattern.StartsWith("*.", StringComparison.Ordinal)
                ? host.Length > pattern.Length - 1 && host.EndsWith(pattern[1..], StringComparison.OrdinalIgnoreCase)
                : host.Equals(pattern, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }
}
