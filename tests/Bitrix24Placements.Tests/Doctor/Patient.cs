using System.Diagnostics;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Bitrix24Placements.Doctor;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Storage;
using Bitrix24Placements.Tests.Harness;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Bitrix24Placements.Tests.Doctor;

/// <summary>A service behind a proxy, installed on a portal, in good health; and a doctor beside it, with the same settings, as the
/// command has them.</summary>
public sealed class Patient : IAsyncDisposable
{
    private readonly TestAuthority? _authority;

    private Patient(Service service, FaultyProxy proxy, Dictionary<string, string?> settings, TestAuthority? authority) =>
        (Service, Proxy, Settings, _authority) = (service, proxy, settings, authority);

    public Service Service { get; }

    public FaultyProxy Proxy { get; }

    public SimPortal Portal => Service.Portal;

    /// <summary>The doctor's. Null takes one away.</summary>
    public Dictionary<string, string?> Settings { get; }

    public X509ChainPolicy? Trust { get; set; }

    public TimeProvider? Clock { get; set; }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <param name="issue">The proxy's certificate; null: plain http.</param>
    internal static async Task<Patient> StartAsync(Func<TestAuthority, X509Certificate2>? issue = null)
    {
        var authority = issue is null ? null : new TestAuthority();
        var proxy = await FaultyProxy.StartAsync(authority is null ? null : issue?.Invoke(authority));
        var publicUrl = proxy.Url.GetLeftPart(UriPartial.Authority);
        var service = await Service.StartAsync(new() { ["Bitrix24:PublicUrl"] = publicUrl });
        proxy.Target = service.Url;
        await service.InstallAsync();
        service.Portal.FinishInstall();
        var bitrix = service.Bitrix;
        return new(service, proxy, new()
        {
            ["Bitrix24:ClientId"] = bitrix.Options.ClientId,
            ["Bitrix24:ClientSecret"] = bitrix.Options.ClientSecret,
            ["Bitrix24:PublicUrl"] = publicUrl,
            ["Bitrix24:AllowInsecureHttp"] = "true",
            ["Bitrix24:OAuthServers:0"] = bitrix.OAuth.Url,
            ["Storage:ConnectionString"] = $"Data Source={Path.Combine(service.Folder.FullName, "placements.db")}",
        }, authority)
        { Trust = authority?.Trust };
    }

    /// <summary>As a worker page says it.</summary>
    public async Task BeatAsync(double milliseconds)
    {
        var beat = new StringContent(FormattableString.Invariant(
            $$"""{"memberId":"{{Portal.MemberId}}","app":"{{Portal.App.ClientId}}","loadMs":{{milliseconds}}}"""));
        using var answer = await Service.Http.PostAsync("/api/heartbeat", beat, Token);
        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
    }

    /// <summary>What the doctor finds wrong, in his order, and how long he took for the first of it.</summary>
    internal async Task<Diagnosis> ExamineAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new() { ContentRootPath = Service.Folder.FullName });
        builder.WebHost.UseKestrelCore();
        builder.Configuration.AddInMemoryCollection(Settings.Where(static s => s.Value is not null));
        builder.Services.AddLogging(static l => l.ClearProviders());
        builder.Services.AddSingleton(new ProbeTrust(Trust));
        if (Clock is not null)
            builder.Services.AddSingleton(Clock);
        builder.AddBitrix24Placements();
        builder.Services.PostConfigure<StorageOptions>(static o => o.MayMakeKeys = false);
        await using var doctor = builder.Build();
        doctor.MapBitrix24Placements();

        var started = Stopwatch.GetTimestamp();
        var diagnosis = new Diagnosis([], TimeSpan.Zero);
        await foreach (var result in doctor.Services.GetRequiredService<Examiner>().RunAsync(null, "en", forOperator: true, Token))
        {
            if (result.State != ReportedCheck.Wrong)
                continue;
            if (diagnosis.Findings.Count == 0)
                diagnosis = diagnosis with { FirstAfter = Stopwatch.GetElapsedTime(started) };
            diagnosis.Findings.AddRange(result.Findings.Where(static f => f.Do.Length > 0));
        }

        return diagnosis;
    }

    public async ValueTask DisposeAsync()
    {
        await Service.DisposeAsync();
        await Proxy.DisposeAsync();
        _authority?.Dispose();
    }
}

internal sealed record Diagnosis(List<ReportedFinding> Findings, TimeSpan FirstAfter);
