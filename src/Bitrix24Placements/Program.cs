using Bitrix24Placements.Hosting;
using Bitrix24Placements.Installation;
using Bitrix24Placements.Placements;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Rest;
using Bitrix24Placements.Signals;

// Commands for operators, see docs/.
if (args is ["health"])
    return await HealthProbe.RunAsync();
if (args is ["make-certificate"])
    return CertificateMaker.Run();

HeadStart.Begin();
var builder = WebApplication.CreateSlimBuilder(ServiceRun.OptionsFor(args));
HeadStart.OfStore(builder.Configuration);
builder.AddHosting();
builder.Services.AddPortals();
builder.Services.AddRest();
builder.Services.AddPlacements();
builder.Services.AddInstallation();
builder.Services.AddSignals();

if (args is [StoreMove.Command, ..])
    return await StoreMove.RunAsync(builder.Build());

return await builder.RunServiceAsync(static app =>
{
    app.UseHosting();
    app.MapHosting();
    app.MapPlacements();
    app.MapInstallation();
    app.MapSignals();
    app.MapBuiltInPages();

    // One's own code comes here and takes the place of a built-in page:
    // app.MapRestAppUri((RestAppUriRequest request) => Results.Content(…));
});
