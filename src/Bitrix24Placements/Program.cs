using Bitrix24Placements.Hosting;
using Bitrix24Placements.Installation;
using Bitrix24Placements.Placements;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Rest;
using Bitrix24Placements.Signals;

var builder = WebApplication.CreateSlimBuilder(ServiceRun.OptionsFor(args));
builder.AddHosting();
builder.Services.AddPortals();
builder.Services.AddRest();
builder.Services.AddPlacements();
builder.Services.AddInstallation();
builder.Services.AddSignals();

var app = builder.Build();
if (args is [StoreMove.Command, ..])
    return await StoreMove.RunAsync(app);

app.UseHosting();
app.MapHosting();
app.MapPlacements();
app.MapInstallation();
app.MapSignals();

// One's own code goes here: app.MapRestAppUri((RestAppUriRequest request) => …), see the README.
app.MapBuiltInPages();

return await app.RunServiceAsync();
