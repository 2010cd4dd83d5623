using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;

namespace Bitrix24Placements.Tests.Events;

/// <summary>Maps handlers of events on a service that runs: they are nothing but entries in its table.</summary>
internal sealed class Endpoints(IServiceProvider services) : IEndpointRouteBuilder
{
    public IServiceProvider ServiceProvider => services;

    public ICollection<EndpointDataSource> DataSources { get; } = [];

    public IApplicationBuilder CreateApplicationBuilder() => new ApplicationBuilder(services);
}
