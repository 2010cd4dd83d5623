using System.Net;
using Bitrix24Placements.Rest;
using Microsoft.Extensions.Options;

namespace Bitrix24Placements.Tests.Rest;

public sealed class HostRulesTests
{
    private static HostRules Rules(bool insecure = false, params string[] allowed) =>
        new(Options.Create(new Bitrix24Options { AllowInsecureHttp = insecure, AllowedPortals = allowed, OAuthServers = [.. Bitrix24Options.DefaultOAuthServers, "https://öauth.example.com"] }));

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("127.255.255.254")]
    [InlineData("0.0.0.0")]
    [InlineData("10.1.2.3")]
    [InlineData("100.64.0.1")]
    [InlineData("100.127.255.255")]
    [InlineData("169.254.169.254")]
    [InlineData("172.16.0.1")]
    [InlineData("172.31.255.255")]
    [InlineData("192.168.0.1")]
    [InlineData("192.0.0.8")]
    [InlineData("198.18.0.1")]
    [InlineData("224.0.0.1")]
    [InlineData("255.255.255.255")]
    [InlineData("240.0.0.1")]
    [InlineData("168.63.129.16")]
    [InlineData("192.0.2.1")]
    [InlineData("192.31.196.1")]
    [InlineData("192.52.193.1")]
    [InlineData("192.88.99.1")]
    [InlineData("192.175.48.1")]
    [InlineData("198.51.100.1")]
    [InlineData("203.0.113.1")]
    [InlineData("::")]
    [InlineData("::1")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("::ffff:10.0.0.1")]
    [InlineData("::127.0.0.1")]
    [InlineData("fe80::1")]
    [InlineData("fec0::1")]
    [InlineData("fc00::1")]
    [InlineData("fd12:3456::1")]
    [InlineData("ff02::1")]
    [InlineData("64:ff9b::7f00:1")]
    [InlineData("2002:7f00:1::")]
    [InlineData("2001:0:5ef5:79fd::1")]
    [InlineData("::ffff:0:10.0.0.1")]
    [InlineData("::ffff:0:8.8.8.8")]
    [InlineData("64:ff9b:1::1")]
    [InlineData("100::1")]
    [InlineData("100:0:0:1::1")]
    [InlineData("2001:2::1")]
    [InlineData("2001:20::1")]
    [InlineData("2001:db8::1")]
    [InlineData("2620:4f:8000::1")]
    [InlineData("3fff::1")]
    [InlineData("5f00::1")]
    [InlineData("4000::1")]
    public void An_internal_address_is_known_as_one(string address) => Assert.True(SpecialAddresses.Contains(IPAddress.Parse(address)));

    [Theory]
    [InlineData("1.1.1.1")]
    [InlineData("100.63.255.255")]
    [InlineData("100.128.0.1")]
    [InlineData("172.15.0.1")]
    [InlineData("172.32.0.1")]
    [InlineData("192.169.0.1")]
    [InlineData("198.20.0.1")]
    [InlineData("223.255.255.255")]
    [InlineData("::ffff:8.8.8.8")]
    [InlineData("2606:4700::1111")]
    [InlineData("2001:4860:4860::8888")]
    [InlineData("2a00:1450:4001::1")]
    [InlineData("168.63.129.15")]
    [InlineData("192.88.98.1")]
    public void A_public_address_is_not(string address) => Assert.False(SpecialAddresses.Contains(IPAddress.Parse(address)));

    [Fact]
    public async Task A_portals_name_that_resolves_to_this_machine_is_refused_unless_it_is_listed()
    {
        var cancellationToken = TestContext.Current.CancellationToken;

        var refused = await Assert.ThrowsAsync<HttpRequestException>(() => Rules().ResolvePortalAsync("localhost", cancellationToken));

        Assert.Equal(HttpRequestError.NameResolutionError, refused.HttpRequestError);
        await Assert.ThrowsAsync<HttpRequestException>(() => Rules(false, "other.example.com").ResolvePortalAsync("localhost", cancellationToken));
        Assert.NotEmpty(await Rules(false, "localhost").ResolvePortalAsync("localhost", cancellationToken));
        Assert.NotEmpty(await Rules(insecure: true).ResolvePortalAsync("localhost", cancellationToken));
    }

    [Theory]
    [InlineData("portal.example.com", true)]
    [InlineData("PORTAL.example.com", true)]
    [InlineData("a.bitrix24.com", true)]
    [InlineData("a.b.bitrix24.com", true)]
    [InlineData("bitrix24.com", false)]
    [InlineData("evilbitrix24.com", false)]
    [InlineData("portal.example.com.evil.test", false)]
    [InlineData("other.example.com", false)]
    [InlineData("xn--prtal-jua.example.com", true)]
    [InlineData("a.xn--bro-hoa.example.com", true)]
    public void Only_listed_portals_are_allowed(string host, bool allowed) => Assert.Equal(allowed, Rules(false, "portal.example.com", "*.bitrix24.com", "pörtal.example.com", "*.büro.example.com").IsAllowedPortal(host));

    [Theory]
    [InlineData("https://oauth.bitrix.info/rest/", "https://oauth.bitrix.info/")]
    [InlineData("https://OAUTH.bitrix24.tech:443/rest/", "https://oauth.bitrix24.tech/")]
    [InlineData("https://öauth.example.com/rest/", "https://xn--auth-4qa.example.com/")]
    [InlineData("https://xn--auth-4qa.example.com/rest/", "https://xn--auth-4qa.example.com/")]
    [InlineData("http://oauth.bitrix.info/rest/", null)]
    [InlineData("https://oauth.bitrix.info:8443/rest/", null)]
    [InlineData("https://oauth.bitrix.info.evil.test/rest/", null)]
    [InlineData("https://oauth.bitrix.info@evil.test/rest/", null)]
    [InlineData("https://user:password@oauth.bitrix.info/", null)]
    [InlineData("//oauth.bitrix.info", null)]
    [InlineData("", null)]
    [InlineData(null, null)]
    public void An_OAuth_server_is_known_by_its_whole_origin(string? address, string? server) => Assert.Equal(server, Rules().ConfiguredOAuthServer(address)?.AbsoluteUri);

    [Theory]
    [InlineData("https://portal.bitrix24.com/rest/", "https://portal.bitrix24.com/rest/")]
    [InlineData("https://portal.bitrix24.com/rest", "https://portal.bitrix24.com/rest/")]
    [InlineData("https://portal.example.com:8443/rest/", "https://portal.example.com:8443/rest/")]
    [InlineData("https://портал.рф/rest/", "https://xn--80awhdgm.xn--p1ai/rest/")]
    [InlineData("https://PÖRTAL.example.com:8443/rest", "https://xn--prtal-jua.example.com:8443/rest/")]
    [InlineData("https://intranet。/rest/", null)]
    [InlineData("https://öööööööööööööööööööööööööööööööööööööööööööööööööööööööööööööööööö.example.com/rest/", null)]
    [InlineData("http://portal.bitrix24.com/rest/", null)]
    [InlineData("https://localhost/rest/", null)]
    [InlineData("https://intranet/rest/", null)]
    [InlineData("https://10.0.0.1/rest/", null)]
    [InlineData("https://[::1]/rest/", null)]
    [InlineData("https://2130706433/rest/", null)]
    [InlineData("https://0x7f.1/rest/", null)]
    [InlineData("https://user@portal.bitrix24.com/rest/", null)]
    [InlineData("https://portal.bitrix24.com/rest/?x=1", null)]
    [InlineData("https://portal.bitrix24.com/rest/#x", null)]
    [InlineData("file:///etc/passwd", null)]
    [InlineData("/rest/", null)]
    [InlineData(null, null)]
    public void A_portals_address_is_https_and_a_name(string? told, string? used) => Assert.Equal(used, Rules().PortalEndpoint(told)?.AbsoluteUri);
}
