using System.Security.Cryptography.X509Certificates;
using Bitrix24Placements.Doctor;
using Bitrix24Placements.Placements;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Doctor;

/// <param name="Expected">What the doctor has to name first.</param>
/// <param name="Seed">Puts the fault into a patient in good health.</param>
internal sealed record SeededFault(string Expected, Func<Patient, Task> Seed)
{
    public SeededFault(string expected, Action<Patient> seed)
        : this(expected, p =>
        {
            seed(p);
            return Task.CompletedTask;
        })
    {
    }

    /// <summary>The certificate of the proxy, where it has one.</summary>
    public Func<TestAuthority, X509Certificate2>? Certificate { get; init; }
}

/// <summary>What goes wrong between a service and a portal, one by one.</summary>
internal static class SeededFaults
{
    private const string PublicUrl = "Bitrix24:PublicUrl";
    private const string Worker = "PAGE_BACKGROUND_WORKER";
    private const string Elsewhere = "https://old.example.com";

    public static readonly Dictionary<string, SeededFault> All = new()
    {
        ["PublicUrl is not set"] = new("publicUrl.missing", p => p.Settings[PublicUrl] = null),
        ["PublicUrl does not resolve"] = new("name.unresolvable", p => p.Settings[PublicUrl] = "http://nowhere.invalid"),
        ["Nothing listens at PublicUrl"] = new("address.unreachable",
            p => p.Settings[PublicUrl] = $"http://127.0.0.1:{Service.FreePort()}"),
        ["PublicUrl never answers"] = new("address.unreachable", p => p.Proxy.Delay = TimeSpan.FromMinutes(1)),
        ["PublicUrl is slow"] = new("address.slow", p => p.Proxy.Delay = TimeSpan.FromSeconds(2.2)),
        ["Another service answers"] = new("address.foreign", p => p.Proxy.AnswersItself = true),
        ["Certificate for another name"] = new("certificate.name", static _ => { }) { Certificate = static a => a.Issue("other.test", 90) },
        ["Certificate expired"] = new("certificate.expired", static _ => { }) { Certificate = static a => a.Issue("localhost", -1) },
        ["Certificate expires soon"] = new("certificate.soon", static _ => { }) { Certificate = static a => a.Issue("localhost", 5) },
        ["Certificate of an authority that nobody knows"] =
            new("certificate.untrusted", static p => p.Trust = null) { Certificate = static a => a.Issue("localhost", 90) },
        ["The proxy tells http where it was asked by https"] =
            new("address.scheme", static p => p.Proxy.ForwardedProto = "http") { Certificate = static a => a.Issue("localhost", 90) },
        ["HEAD is refused"] = new("address.head", static p => p.Proxy.RefusesHead = true),
        ["Bodies are cut at 8 KB"] = new("address.body", static p => p.Proxy.CutsBodiesAt = 8 * 1024),
        ["X-Frame-Options is added"] = new("address.framing", static p => p.Proxy.FrameOptions = "SAMEORIGIN"),
        ["Content-Security-Policy is replaced"] = new("address.framing", static p => p.Proxy.Policy = "frame-ancestors 'self'"),
        ["The clock is off by ten minutes"] = new("clock.off", static p =>
        {
            var clock = new ShiftedTime();
            clock.Shift(TimeSpan.FromMinutes(10));
            p.Clock = clock;
        }),
        ["The portal's clock is off"] = new("clock.off", static p => p.Portal.Quirks.ClockOff = TimeSpan.FromMinutes(-10)),
        ["No keys"] = new("keys.missing", static p => p.Settings["Bitrix24:ClientSecret"] = null),
        ["The secret is wrong"] = new("keys.wrong", static p => p.Service.Bitrix.RotateSecret(p.Service.Bitrix.Options.ClientId)),
        ["The OAuth server is silent"] = new("oauth.silent", static p => p.Service.Bitrix.Faults.Set("oauth:*", Fault.Drop())),
        ["A scope is missing"] = new("scope.missing", static p => p.Portal.App.Scopes = ["pull", "user"]),
        ["A scope of the app's own calls is missing"] = new("scope.missing", static p => p.Settings["Bitrix24:Scopes:0"] = "telephony"),
        ["The portal refuses"] = new("portal.refused",
            static p => p.Service.Bitrix.Faults.Set("rest:scope", Fault.Error("ACCESS_DENIED", 403))),
        ["A placement is missing"] = new("placement.missing", static p => p.Portal.Unregister(Worker)),
        ["A placement is registered elsewhere"] = new("placement.elsewhere", static p =>
        {
            p.Portal.Unregister(Worker);
            p.Portal.Register(Worker, Elsewhere + "/placements/page-background-worker");
        }),
        ["No event is bound"] = new("event.missing", static p =>
        {
            var placements = p.Portal.Placements.ToList();
            p.Portal.WipePlacements(events: true);
            foreach (var placement in placements)
                p.Portal.Register(placement.Placement, placement.Handler);
        }),
        ["Events of the portal are blocked"] = new("event.silent", static p => p.Proxy.BlocksAgent = "Bitrix24-Webhook-Engine"),
        ["Workers are silent"] = new("worker.silent", static async p =>
        {
            for (var i = 0; i < 20; i++)
                (await p.Service.WorkerAsync()).Dispose();
            // Otherwise once a minute.
            await p.Service.Get<WorkerLoads>().FlushAsync(TestContext.Current.CancellationToken);
        }),
        ["Frames of workers are slow"] = new("worker.slow", static async p =>
        {
            (await p.Service.WorkerAsync()).Dispose();
            for (var i = 0; i < 3; i++)
                await p.BeatAsync(6000);
            await p.Service.Get<Heartbeats>().FlushAsync(TestContext.Current.CancellationToken);
        }),
        ["The database can only be read"] = new("database.readOnly",
            static p => p.Settings["Storage:ConnectionString"] += ";Mode=ReadOnly"),
        ["There is no database"] = new("database.empty",
            static p => p.Settings["Storage:ConnectionString"] = $"Data Source={p.Service.Folder.FullName}/other.db"),
        ["The keys of tokens are lost"] = new("tokenKeys.lost",
            static p => Directory.Delete(Path.Combine(p.Service.Folder.FullName, "keys"), true)),
    };
}
