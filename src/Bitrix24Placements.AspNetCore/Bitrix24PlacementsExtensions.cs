using System.Reflection;
using Bitrix24Placements.Apps;
using Bitrix24Placements.Doctor;
using Bitrix24Placements.Events;
using Bitrix24Placements.Health;
using Bitrix24Placements.Inspector;
using Bitrix24Placements.Installation;
using Bitrix24Placements.Pages;
using Bitrix24Placements.Placements;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Refusals;
using Bitrix24Placements.Rest;
using Bitrix24Placements.Signals;
using Bitrix24Placements.Storage;
using Bitrix24Placements.Work;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.FileProviders;

namespace Bitrix24Placements;

/// <summary>The library's door: services, middleware and endpoints of a Bitrix24 app, beside whatever else the host has.</summary>
public static class Bitrix24PlacementsExtensions
{
    /// <summary>
    /// Adds the services, configured by the sections <c>Bitrix24</c>, <c>Storage</c>, <c>DataProtection</c>, <c>Signals</c>,
    /// <c>Limits</c>.
    /// </summary>
    public static IHostApplicationBuilder AddBitrix24Placements(this IHostApplicationBuilder builder)
    {
        var services = builder.Services;
        services.Configure<LoggerFilterOptions>(LeaveOutAddresses);
        services.AddRouting();
        services.TryAddSingleton(TimeProvider.System);
        services.AddStorage();
        services.AddApps();
        services.AddPortals();
        services.AddWork();
        services.AddRest();
        services.AddPages();
        services.AddRefusals();
        services.AddPlacements();
        services.AddEvents();
        services.AddInstallation();
        services.AddSignals();
        services.AddHealth();
        services.AddDoctor();
        if (builder.Environment.IsDevelopment())
            services.AddSingleton<Inspections>();
        return builder;
    }

    /// <summary>The framework's line for each request holds its address: a key of a removal notice, a query. A host may want it.</summary>
    private static void LeaveOutAddresses(LoggerFilterOptions filters)
    {
        const string RequestLines = "Microsoft.AspNetCore.Hosting.Diagnostics";
        if (!filters.Rules.Any(r => r.CategoryName == RequestLines))
            filters.Rules.Add(new(providerName: null, RequestLines, LogLevel.Warning, filter: null));
    }

    /// <summary>
    /// The path of <c>Bitrix24:PublicUrl</c>, the pages' files, and answers to what an endpoint of the library refuses or fails at.
    /// Other endpoints' answers are left alone.
    /// </summary>
    public static WebApplication UseBitrix24Placements(this WebApplication app)
    {
        if (app.Services.GetRequiredService<IOptions<Bitrix24Options>>().Value.PublicUrl is { } url)
            app.UsePathBase(new Uri(url).AbsolutePath);
        app.Map(PageFrame.FilesPath, files => UseFiles(files, app.Environment));
        if (app.Services.GetService<Inspections>() is not null)
            app.UseWhen(
                context => context.GetEndpoint()?.Metadata.GetMetadata<OwnEndpoint>() is not null,
                own => own.UseMiddleware<InspectorMiddleware>());
        app.UseMiddleware<ErrorHandling>(ErrorScope.OwnEndpoints);
        app.UseMiddleware<EchoMiddleware>();
        return app;
    }

    /// <summary>Every address that Bitrix24, its users' browsers, backends and orchestrators ask.</summary>
    public static WebApplication MapBitrix24Placements(this WebApplication app)
    {
        var own = app.MapGroup("").WithMetadata(new OwnEndpoint());
        var registered = own.MapGroup("").AnswersHead();
        registered.MapPlacements();
        registered.MapEvents();
        registered.MapInstallation();
        own.MapSignals();
        own.MapHealth();
        own.MapDoctor();
        if (app.Services.GetService<Inspections>() is { } inspections)
            new InspectorEndpoints(inspections).Map(own);
        return app;
    }

    private static void UseFiles(IApplicationBuilder files, IWebHostEnvironment environment)
    {
        var scripts = new OwnScripts(
            environment.WebRootFileProvider, new EmbeddedFileProvider(Assembly.GetExecutingAssembly(), "Bitrix24Placements.wwwroot"));
        // A catch-all of the host's would otherwise come before the files.
        files.Use((context, next) =>
        {
            context.SetEndpoint(null);
            return next(context);
        });
        files.UseMiddleware<ErrorHandling>(ErrorScope.Everything);
        Serve("/" + PageFrame.Version, "public, max-age=31536000, immutable");
        Serve("", "public, max-age=600");

        void Serve(string path, string caching) => files.UseStaticFiles(new StaticFileOptions
        {
            RequestPath = path,
            FileProvider = scripts,
            OnPrepareResponse = context =>
            {
                // One's own file is seen at the next page while it is written, and within a minute afterwards.
                context.Context.Response.Headers.CacheControl = context.File.PhysicalPath is null ? caching
                    : environment.IsDevelopment() ? "no-cache" : "public, max-age=60";
                context.Context.Response.Headers.AccessControlAllowOrigin = "*";
            },
        });
    }
}
