using Bitrix24Placements;
using Bitrix24Placements.Commands;

return await new CommandLine(arguments =>
{
    var builder = WebApplication.CreateSlimBuilder(ServiceRun.OptionsFor(arguments));
    builder.AddHosting();
    builder.AddBitrix24Placements();
    return builder;
}, app =>
{
    app.UseHosting();
    app.UseBitrix24Placements();
    app.MapBitrix24Placements();
}).RunAsync(args);
