using System.Net;
using Bitrix24Placements.Settings;

namespace Bitrix24Placements.Hosting;

/// <summary>Whose <c>X-Forwarded-*</c> is believed. Null: loopback.</summary>
internal sealed class ForwardedSettings : ISettings
{
    public static string Section => "ForwardedHeaders";

    public string[]? KnownProxies { get; set; }

    /// <summary>As <c>10.0.0.0/8</c>.</summary>
    public string[]? KnownNetworks { get; set; }

    public void Read(IConfigurationSection section)
    {
        KnownProxies = section.List(nameof(KnownProxies));
        KnownNetworks = section.List(nameof(KnownNetworks));
    }

    public string? Problem() =>
        KnownProxies?.FirstOrDefault(static p => !IPAddress.TryParse(p, out _)) is { } proxy
            ? $"ForwardedHeaders:KnownProxies: {proxy} is not an IP address."
        : KnownNetworks?.FirstOrDefault(static n => !IPNetwork.TryParse(n, out _)) is { } network
            ? $"ForwardedHeaders:KnownNetworks: {network} is not a network such as 10.0.0.0/8."
        : null;
}
