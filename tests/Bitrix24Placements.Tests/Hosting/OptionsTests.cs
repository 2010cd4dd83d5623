using Bitrix24Placements.Apps;
using Bitrix24Placements.Health;
using Bitrix24Placements.Hosting;
using Bitrix24Placements.Refusals;
using Bitrix24Placements.Rest;
using Bitrix24Placements.Settings;
using Bitrix24Placements.Signals;
using Bitrix24Placements.Tests.Harness;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Bitrix24Placements.Tests.Hosting;

/// <summary>A bad value stops the start with one line that names its key.</summary>
public sealed class OptionsTests
{
    public static TheoryData<string, string> Bad => new()
    {
        { "Bitrix24:PublicUrl", "app.example.com" },
        { "Bitrix24:PublicUrl", "/b24" },
        { "Bitrix24:PublicUrl", "ftp://app.example.com" },
        { "Bitrix24:PublicUrl", "http://app.example.com" },
        { "Bitrix24:PublicUrl", "https://127.0.0.1/" },
        { "Bitrix24:PublicUrl", "https://localhost/" },
        { "Bitrix24:PublicUrl", "https://app.example.com/?a=b" },
        { "Bitrix24:PublicUrl", "https://app.example.com/#a" },
        { "Bitrix24:PublicUrl", "https://user:password@app.example.com/" },
        { "Bitrix24:PublicUrl", "https://app.example.com/" + new string('a', 200) },
        { "Bitrix24:OAuthServers:0", "oauth.bitrix.info" },
        { "Bitrix24:OAuthServers:0", "http://oauth.bitrix.info" },
        { "Bitrix24:OAuthServers:0", "https://10.0.0.1" },
        { "Bitrix24:AllowedPortals:0", "https://portal.example.com" },
        { "Bitrix24:AllowedPortals:0", "portal.example.com:8080" },
        { "Bitrix24:AllowedPortals:0", "*" },
        { "Bitrix24:AllowedPortals:0", "*." },
        { "Bitrix24:AllowedPortals:0", "portal.*.com" },
        { "Bitrix24:AllowInsecureHttp", "yes" },
        { "Bitrix24:Verification", "Sometimes" },
        { "Bitrix24:Verification", "7" },
        { "Bitrix24:Verification", "Off" },
        { "Bitrix24:ScriptUrl", "//api.bitrix24.com/" },
        { "Bitrix24:ScriptUrl", "http://api.bitrix24.com/api/v1/" },
        { "Bitrix24:PullScriptUrl", "javascript:alert(1)" },
        { "Bitrix24:RequestsPerSecond", "0" },
        { "Bitrix24:RequestsPerSecond", "-1" },
        { "Bitrix24:RequestsPerSecond", "NaN" },
        { "Bitrix24:RequestsPerSecond", "two" },
        { "Bitrix24:RequestBurst", "0" },
        { "Bitrix24:RequestBurst", "1.5" },
        { "Storage:Provider", "MySql" },
        { "Storage:ConnectionString", "Data Source=" },
        { "Storage:ConnectionString", "Data Source=:memory:" },
        { "Storage:ConnectionString", "Nonsense=1" },
        { "DataProtection:CertificatePath", "/nowhere/at-all.pfx" },
        { "Signals:Keys:shop:Key", "too-short" },
        { "Signals:Keys:shop:Portals:0", "" },
        { "Signals:PerMinute", "0" },
        { "Signals:PerMinute", "many" },
        { "Limits:UnverifiedPerMinute", "0" },
        { "Limits:UnverifiedPerMinute", "-5" },
        { "ForwardedHeaders:KnownProxies:0", "proxy.example.com" },
        { "ForwardedHeaders:KnownNetworks:0", "10.0.0.0/99" },
        { "Management:Port", "0" },
        { "Management:Port", "65536" },
        { "Management:Port", "http" },
        { "Management:Address", "management.example.com" },
        { "Shutdown:DrainSeconds", "-1" },
        { "Shutdown:DrainSeconds", "soon" },
    };

    [Theory]
    [MemberData(nameof(Bad))]
    public void A_bad_value_is_told_in_one_line_with_its_key(string key, string value)
    {
        using var services = Services((key, value));

        var problem = Assert.ThrowsAny<Exception>(() => services.GetRequiredService<IStartupValidator>().Validate());

        // Sections that look at another one fail with it, for the same reason.
        IEnumerable<Exception> all = problem is AggregateException several ? several.InnerExceptions : [problem];
        var line = Assert.Single(all.SelectMany(e => Assert.IsType<OptionsValidationException>(e, exactMatch: false).Failures).Distinct());
        Assert.All(all, e => Assert.Equal(line, e.ToString()));
        Assert.DoesNotContain('\n', line);
        Assert.StartsWith(key.EndsWith(":0", StringComparison.Ordinal) && !key.StartsWith("Bitrix24:", StringComparison.Ordinal) ? key[..^2] : key, line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_defaults_are_good()
    {
        await using var services = Services();
        services.GetRequiredService<IStartupValidator>().Validate();
        var options = services.GetRequiredService<IOptions<Bitrix24Options>>().Value;
        Assert.Equal(["https://oauth.bitrix.info", "https://oauth.bitrix24.tech"], options.OAuthServers);
        Assert.Empty(options.AllowedPortals);
        Assert.False(options.AllowInsecureHttp);
        Assert.Equal(VerificationMode.Required, options.Verification);
        Assert.Equal("https://api.bitrix24.com/api/v1/", options.ScriptUrl);
        Assert.Equal("https://api.bitrix24.com/api/v1/pull/", options.PullScriptUrl);
        Assert.Equal((2, 50), (options.RequestsPerSecond, options.RequestBurst));
        Assert.Equal(300, services.GetRequiredService<IOptions<LimitsOptions>>().Value.UnverifiedPerMinute);
        Assert.Equal(6000, services.GetRequiredService<IOptions<SignalsOptions>>().Value.PerMinute);
        Assert.False(services.GetRequiredService<AppRegistry>().HasAny);
    }

    [Fact]
    public void A_list_replaces_its_default_and_repeated_entries_are_harmless()
    {
        using var services = Services(
            ("Bitrix24:OAuthServers:0", "https://oauth.example.com"), ("Bitrix24:OAuthServers:1", "https://oauth.example.com"), ("Bitrix24:OAuthServers:2", "https://oauth.example.com/rest/"),
            ("Signals:ApiKeys:0", Service.ApiKey), ("Signals:ApiKeys:1", Service.ApiKey), ("Bitrix24:AllowedPortals", "*.bitrix24.com, portal.example.com"));
        services.GetRequiredService<IStartupValidator>().Validate();
        var options = services.GetRequiredService<IOptions<Bitrix24Options>>();
        Assert.Equal([new Uri("https://oauth.example.com")], new HostRules(options).OAuthServers);
        Assert.Equal(["*.bitrix24.com", "portal.example.com"], options.Value.AllowedPortals);
        Assert.Equal(Service.ApiKey, Assert.Single(services.GetRequiredService<IOptions<SignalsOptions>>().Value.Keys).Key);
    }

    [Fact]
    public void Empty_texts_are_not_set()
    {
        string[] keys =
        [
            "Bitrix24:ClientId", "Bitrix24:ClientSecret", "Bitrix24:PublicUrl", "Bitrix24:OAuthServers", "Bitrix24:OAuthServers:0", "Bitrix24:AllowedPortals:0", "Bitrix24:AllowInsecureHttp", "Bitrix24:Verification",
            "Bitrix24:ScriptUrl", "Bitrix24:PullScriptUrl", "Bitrix24:RequestsPerSecond", "Bitrix24:RequestBurst", "Storage:Provider", "Storage:ConnectionString", "DataProtection:CertificatePath",
            "DataProtection:CertificatePassword", "DataProtection:PreviousCertificates:0", "Signals:ApiKeys:0", "Signals:PerMinute", "Limits:UnverifiedPerMinute", "ForwardedHeaders:KnownProxies",
            "ForwardedHeaders:KnownNetworks:0", "Management:Port",
        ];
        using var empty = Services([.. keys.Select(k => (k, ""))]);
        empty.GetRequiredService<IStartupValidator>().Validate();
        using var unset = Services();
        Assert.Equal(unset.GetRequiredService<IOptions<Bitrix24Options>>().Value.OAuthServers, empty.GetRequiredService<IOptions<Bitrix24Options>>().Value.OAuthServers);
        Assert.Null(empty.GetRequiredService<IOptions<Bitrix24Options>>().Value.PublicUrl);
        var (ofEmpty, ofUnset) = (empty.GetRequiredService<IOptions<ForwardedHeadersOptions>>().Value, unset.GetRequiredService<IOptions<ForwardedHeadersOptions>>().Value);
        Assert.Equal(ofUnset.KnownProxies, ofEmpty.KnownProxies);
        Assert.Equal(ofUnset.KnownIPNetworks, ofEmpty.KnownIPNetworks);
        Assert.NotEmpty(ofEmpty.KnownProxies);
        Assert.Null(empty.GetRequiredService<IOptions<ManagementOptions>>().Value.Port);
    }

    [Fact]
    public async Task PostgreSql_without_a_certificate_stops_the_process_with_one_line()
    {
        var run = await FailedStart.RunAsync(new() { ["Storage__Provider"] = "PostgreSql", ["Storage__ConnectionString"] = "Host=nowhere;Password=hidden-password", ["ASPNETCORE_ENVIRONMENT"] = "Production" });
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("DataProtection:CertificatePath", Assert.Single(run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
        Assert.DoesNotContain("hidden-password", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Shutdown__DrainSeconds", "-1")]
    [InlineData("Hsts__Enabled", "always")]
    public async Task A_bad_value_of_the_hosting_stops_the_process_with_one_line(string key, string value)
    {
        var run = await FailedStart.RunAsync(new() { [key] = value, ["ASPNETCORE_ENVIRONMENT"] = "Production" });
        Assert.Equal(1, run.ExitCode);
        Assert.Contains(key.Replace("__", ":", StringComparison.Ordinal) + " has to be", Assert.Single(run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_that_cannot_be_made_stops_the_process_with_one_line()
    {
        var below = Path.Combine(AppContext.BaseDirectory, "Bitrix24Placements.dll", "data", "placements.db");
        var run = await FailedStart.RunAsync(new() { ["Storage__ConnectionString"] = $"Data Source={below}", ["ASPNETCORE_ENVIRONMENT"] = "Production" });
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("Storage:ConnectionString", Assert.Single(run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("garbage", "garbage")]
    [InlineData("http://192.0.2.1:5080", "assign")]
    [InlineData("https://127.0.0.1:{port}", "certificate")]
    [InlineData("http://127.0.0.1:{taken}", "{taken}")]
    public async Task An_address_that_cannot_be_listened_on_stops_the_process_with_one_line(string address, string reason)
    {
        using var taken = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, Service.FreePort());
        taken.Start();
        var port = ((System.Net.IPEndPoint)taken.LocalEndpoint).Port.ToString(System.Globalization.CultureInfo.InvariantCulture);
        string Fill(string text) => text.Replace("{taken}", port, StringComparison.Ordinal).Replace("{port}", $"{Service.FreePort()}", StringComparison.Ordinal);
        var run = await FailedStart.RunAsync(new() { ["ASPNETCORE_URLS"] = Fill(address), ["ASPNETCORE_ENVIRONMENT"] = "Production" });

        Assert.Equal(1, run.ExitCode);
        Assert.Contains(Fill(reason), Assert.Single(run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries), static l => l.Contains("cannot start", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("BackgroundService", run.Output, StringComparison.Ordinal);
    }

    private static ServiceProvider Services(params (string Key, string Value)[] settings)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(settings.Select(s => KeyValuePair.Create<string, string?>(s.Key, s.Value))).Build();
        var builder = Host.CreateEmptyApplicationBuilder(new() { EnvironmentName = Environments.Production });
        builder.Configuration.AddConfiguration(configuration);
        builder.AddBitrix24Placements();
        builder.Services.AddOptions<ForwardedHeadersOptions>().Configure<IConfiguration>(Proxies.Configure).ValidateOnStart();
        builder.Services.AddSettings<ShutdownSettings>();
        return builder.Services.BuildServiceProvider();
    }
}
