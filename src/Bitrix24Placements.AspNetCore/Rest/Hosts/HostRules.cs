using System.Net;
using System.Net.Sockets;

namespace Bitrix24Placements.Rest;

/// <remarks>Hosts are compared, kept and sent in ASCII (<c>xn--…</c>): no header takes other letters.</remarks>
internal sealed class HostRules(IOptions<Bitrix24Options> options) : IDisposable
{
    private readonly bool _allowInsecure = options.Value.AllowInsecureHttp;

    /// <summary>With a dot before them: all below it.</summary>
    private readonly string[] _allowedPortals = Array.ConvertAll(
        options.Value.AllowedPortals, p => p.StartsWith("*.", StringComparison.Ordinal) ? "." + Ascii(p[2..]) : Ascii(p));

    private readonly NameLookup _names = new(Dns.GetHostAddresses);

    public IReadOnlyList<Uri> OAuthServers { get; } = [.. options.Value.OAuthServers.Select(s => new Uri(Origin(new Uri(s)))).Distinct()];

    public void Dispose() => _names.Dispose();

    /// <summary>By whole origin; null where the address names none of them.</summary>
    public Uri? ConfiguredOAuthServer(string? address) =>
        Parse(address) is { UserInfo.Length: 0 } uri ? OAuthServers.FirstOrDefault(s => Origin(s) == Origin(uri)) : null;

    public bool IsAllowedPortal(string host) => _allowedPortals.Length == 0 || IsListed(host);

    /// <summary>With a trailing slash; null where it cannot be one. No name is looked up yet.</summary>
    public Uri? PortalEndpoint(string? clientEndpoint)
    {
        if (Parse(clientEndpoint) is not { UserInfo.Length: 0, Query.Length: 0, Fragment.Length: 0 } told)
            return null;
        var path = told.AbsolutePath.EndsWith('/') ? told.AbsolutePath : told.AbsolutePath + "/";
        return Parse(Origin(told) + path) is { } endpoint && MayUse(endpoint) ? endpoint : null;
    }

    private bool MayUse(Uri uri) => _allowInsecure ? uri.Scheme is "https" or "http"
        : uri is { Scheme: "https", HostNameType: UriHostNameType.Dns, IsLoopback: false } && uri.IdnHost.TrimEnd('.').Contains('.');

    /// <summary>Asked at connect, so that a name cannot change between check and use.</summary>
    /// <exception cref="HttpRequestException">There are none, or none that is not internal.</exception>
    public async Task<IPAddress[]> ResolvePortalAsync(string host, CancellationToken cancellationToken)
    {
        try
        {
            var addresses = await _names.FindAsync(host, cancellationToken);
            var permitted = MayBeInternal(host) ? addresses : Array.FindAll(addresses, a => !SpecialAddresses.Contains(a));
            return permitted.Length > 0 ? permitted : throw new HttpRequestException(
                HttpRequestError.NameResolutionError,
                "The portal's name resolves to an internal address, and the host is not listed in Bitrix24:AllowedPortals.");
        }
        catch (SocketException e)
        {
            throw new HttpRequestException(HttpRequestError.NameResolutionError, "The portal's name cannot be resolved.", e);
        }
    }

    /// <summary>The operator has said that this host may be anywhere.</summary>
    public bool MayBeInternal(string host) => _allowInsecure || IsListed(host);

    public static string Origin(Uri uri) => new UriBuilder(uri.Scheme, uri.IdnHost, uri.Port).Uri.GetLeftPart(UriPartial.Authority);

    /// <summary>Null for what is no absolute address, or has no form in ASCII.</summary>
    private static Uri? Parse(string? address)
    {
        try
        {
            return Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri.IdnHost.Length > 0 ? uri : null;
        }
        catch (UriFormatException)
        {
            return null;
        }
    }

    private static string Ascii(string host) => Parse("https://" + host)?.IdnHost ?? host;

    private bool IsListed(string host)
    {
        host = Ascii(host);
        return Array.Exists(_allowedPortals, listed => host.Equals(listed, StringComparison.OrdinalIgnoreCase)
            || (listed[0] == '.' && host.EndsWith(listed, StringComparison.OrdinalIgnoreCase)));
    }
}
