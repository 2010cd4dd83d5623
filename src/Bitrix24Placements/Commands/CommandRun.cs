using System.Data.Common;
using Bitrix24Placements.Apps;
using Bitrix24Placements.Hosting;
using Bitrix24Placements.Storage;
using Microsoft.Extensions.Options;

namespace Bitrix24Placements.Commands;

/// <summary>The frame of a command that is no service: what is wrong is told in one line, with exit status 1.</summary>
internal static class CommandRun
{
    /// <param name="prefix">Of that line.</param>
    public static async Task<int> RunAsync(WebApplicationBuilder builder, Func<WebApplication, Task<int>> runAsync, string prefix = "")
    {
        try
        {
            await using var app = builder.Build();
            app.Services.GetRequiredService<IStartupValidator>().Validate();
            return await runAsync(app);
        }
        catch (Exception e) when (e is AppException or StoreMoveException or SchemaTooNewException or DbException
            || ServiceRun.Explain(e) is not null)
        {
            await Console.Error.WriteLineAsync(prefix + (ServiceRun.Explain(e) ?? e.Message));
            return 1;
        }
    }
}
