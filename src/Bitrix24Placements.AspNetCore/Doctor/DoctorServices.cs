using Bitrix24Placements.Doctor.Checks;
using Bitrix24Placements.Installation;
using Bitrix24Placements.Storage;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Bitrix24Placements.Doctor;

internal static class DoctorServices
{
    public static IServiceCollection AddDoctor(this IServiceCollection services)
    {
        services.TryAddSingleton(new ProbeTrust(null));
        services.AddSingleton<EchoSeal>();
        services.AddSingleton<HeardEvents>();
        services.AddSingleton<ProbeHttp>();
        services.AddSingleton<HeartbeatStore>();
        services.AddHosted<Heartbeats>();
        services.AddSingleton<HeartbeatEndpoint>();
        services.AddSingleton<IAppPagePart, DoctorPart>();
        services.AddSingleton<DoctorEndpoint>();
        services.AddSingleton<CommandReport>();
        services.AddSingleton<Examiner>();
        return services.AddChecks();
    }

    /// <summary>Causes before consequences.</summary>
    private static IServiceCollection AddChecks(this IServiceCollection services) => services
        .AddSingleton<ICheck, SettingsCheck>()
        .AddSingleton<ICheck, DatabaseCheck>()
        .AddSingleton<ICheck, TokenKeysCheck>()
        .AddSingleton<ICheck, NameCheck>()
        .AddSingleton<ICheck, CertificateCheck>()
        .AddSingleton<ICheck, AddressCheck>()
        .AddSingleton<ICheck, ClockCheck>()
        .AddSingleton<ICheck, AppKeysCheck>()
        .AddSingleton<ICheck, PortalCheck>()
        .AddSingleton<ICheck, RegistrationCheck>()
        .AddSingleton<ICheck, WayBackCheck>()
        .AddSingleton<ICheck, WorkerCheck>();

    public static void MapDoctor(this IEndpointRouteBuilder endpoints)
    {
        var services = endpoints.ServiceProvider;
        endpoints.MapPost("/api/heartbeat", services.GetRequiredService<HeartbeatEndpoint>().ReceiveAsync);
        endpoints.MapPost("/doctor", services.GetRequiredService<DoctorEndpoint>().ReceiveAsync).RequirePageSession();
    }
}
