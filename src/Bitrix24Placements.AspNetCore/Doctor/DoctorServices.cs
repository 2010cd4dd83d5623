using Bitrix24Placements.Installation;
using Bitrix24Placements.Storage;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Bitrix24Placements.Doctor;

internal static class DoctorServices
{
    public static IServiceCollection AddDoctor(this IServiceCollection services)
    {
        services.TryAddSingleton(new ProbeTrust(null));
        return services
            .AddSingleton<EchoSeal>()
            .AddSingleton<HeardEvents>()
            .AddSingleton<ProbeHttp>()
            .AddHosted<Heartbeats>()
            .AddSingleton<HeartbeatEndpoint>()
            .AddSingleton<IAppPagePart, DoctorPart>()
            .AddSingleton<DoctorEndpoint>()
            .AddSingleton<CommandReport>()
            .AddSingleton<Examiner>()
            .AddSingleton<StoreChecks>()
            .AddSingleton<AddressChecks>()
            .AddSingleton<CertificateCheck>()
            .AddSingleton<OAuthChecks>()
            .AddSingleton<PortalChecks>();
    }

    public static void MapDoctor(this IEndpointRouteBuilder endpoints)
    {
        var services = endpoints.ServiceProvider;
        endpoints.MapPost("/api/heartbeat", services.GetRequiredService<HeartbeatEndpoint>().ReceiveAsync);
        endpoints.MapPost("/doctor", services.GetRequiredService<DoctorEndpoint>().ReceiveAsync).RequirePageSession();
    }
}
