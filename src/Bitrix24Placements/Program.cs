using Bitrix24Placements;
using Bitrix24Placements.Hosting;
using Bitrix24Placements.Storage;

// Commands for operators, see docs/.
if (args is ["health"])
    return await HealthProbe.RunAsync();
if (args is ["make-certificate"])
    return CertificateMaker.Run();

var builder = WebApplication.CreateSlimBuilder(ServiceRun.OptionsFor(args));
builder.AddHosting();
builder.AddBitrix24Placements();

if (args is [StoreMove.Command, ..])
    return await StoreMove.RunAsync(builder.Build());

return await builder.RunServiceAsync(static app =>
{
    app.UseHosting();
    app.UseBitrix24Placements();
    app.MapBitrix24Placements();
});
