using System.Diagnostics;
using Bitrix24Placements.Events;
using Bitrix24Placements.Health;
using Bitrix24Placements.Installation;
using Bitrix24Placements.Placements;
using Bitrix24Placements.Portals;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Bitrix24Placements.Hosting;

/// <summary>The only file that knows OpenTelemetry. Nothing is measured that nobody reads.</summary>
internal static class Telemetry
{
    private static readonly string[] Meters =
    [
        PlacementMetrics.MeterName, RestMetrics.MeterName, InstallationMetrics.MeterName, EventMetrics.MeterName, PortalCensus.MeterName,
        "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Net.Http", "System.Runtime",
    ];

    public static void AddTelemetry(this WebApplicationBuilder builder)
    {
        var (metricsOut, tracesOut) = (IsExported(builder.Configuration, "METRICS"), IsExported(builder.Configuration, "TRACES"));
        var prometheus = builder.Configuration.GetSection(ManagementOptions.Section).Text(nameof(ManagementOptions.Port)) is not null;
        if (metricsOut || tracesOut || prometheus)
            Export(builder, metricsOut, tracesOut, prometheus);
    }

    // OpenTelemetry is loaded only where it is used.
    private static void Export(WebApplicationBuilder builder, bool metricsOut, bool tracesOut, bool prometheus)
    {
        var service = builder.Configuration["OTEL_SERVICE_NAME"] is { Length: > 0 } name ? name : "bitrix24placements";
        var telemetry = builder.Services.AddOpenTelemetry().ConfigureResource(r => r.AddService(service));
        telemetry.WithMetrics(metrics =>
        {
            // Tags name the host: a portal's name belongs into no metric.
            metrics.AddMeter(Meters).AddView(instrument => instrument.Meter.Name == "System.Net.Http"
                ? new MetricStreamConfiguration { TagKeys = ["http.request.method", "http.response.status_code", "http.connection.state"] }
                : null);
            if (prometheus)
                metrics.AddPrometheusExporter();
            if (metricsOut)
                metrics.AddOtlpExporter();
        });
        if (tracesOut)
            telemetry.WithTracing(traces => traces.AddAspNetCoreInstrumentation(options =>
            {
                // Worker loads are too many. No endpoint is known yet, and the path still has its base.
                options.Filter = context => !context.Request.Path.Value!.EndsWith(AppPaths.BackgroundWorker, StringComparison.Ordinal);
                // Paths can hold a removal key, queries a user's data: a trace gets the route.
                options.EnrichWithHttpRequest = (activity, _) => Hide(activity, null);
                options.EnrichWithHttpResponse = (activity, response) =>
                    Hide(activity, (response.HttpContext.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText);
            })
            // The token of app.info stands in the query.
            .AddHttpClientInstrumentation(options => options.EnrichWithHttpRequestMessage = (activity, request) =>
                activity.SetTag("url.full", request.RequestUri?.GetLeftPart(UriPartial.Path)))
            .AddOtlpExporter());
    }

    private static void Hide(Activity activity, string? route)
    {
        activity.SetTag("url.path", route);
        activity.SetTag("url.query", null);
    }

    private static bool IsExported(ConfigurationManager configuration, string signal) =>
        (configuration["OTEL_EXPORTER_OTLP_ENDPOINT"] + configuration[$"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT"]).Length > 0
        && configuration[$"OTEL_{signal}_EXPORTER"] is null or "" or "otlp"
        && !string.Equals(configuration["OTEL_SDK_DISABLED"], "true", StringComparison.OrdinalIgnoreCase);

    /// <summary>By port, whatever the Host header says: that port gets nothing else, other ports get no metrics.</summary>
    public static void UseManagementPort(this WebApplication app)
    {
        if (app.Services.GetRequiredService<IOptions<ManagementOptions>>().Value is not { Port: { } port } management)
            return;
        var host = management.Address.Contains(':', StringComparison.Ordinal) ? $"[{management.Address}]" : management.Address;
        // Once it is given an address, the server reads no configured ones.
        foreach (var url in Listening.UrlsIn(app.Configuration).DefaultIfEmpty("http://localhost:5000"))
            app.Urls.Add(url);
        app.Urls.Add($"http://{host}:{port}");
        app.Services.GetRequiredService<PortalCensus>();
        app.MapWhen(context => management.IsAskedBy(context) && !context.Request.Path.StartsWithSegments("/health"), management =>
        {
            management.UseOpenTelemetryPrometheusScrapingEndpoint();
            management.Run(context =>
            {
                context.Response.StatusCode = StatusCodes.Status404NotFound;
                return Task.CompletedTask;
            });
        });
    }
}
