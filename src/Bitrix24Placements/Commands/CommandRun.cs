using System.CommandLine;
using System.Data.Common;

namespace Bitrix24Placements.Commands;

internal static class CommandRun
{
    public const int Failed = 1;

    public static Command Runs(this Command command, Func<ParseResult, Task<int>> runAsync)
    {
        command.SetAction((parsed, _) => runAsync(parsed));
        return command;
    }

    /// <summary>What the command does not know is the configuration's.</summary>
    public static Command Runs(this Command command, Func<string[], WebApplicationBuilder> create,
        Func<WebApplicationBuilder, ParseResult, CancellationToken, Task<int>> runAsync)
    {
        command.TreatUnmatchedTokensAsErrors = false;
        command.SetAction((parsed, token) => runAsync(create([.. parsed.UnmatchedTokens]), parsed, token));
        return command;
    }

    /// <summary>For commands that do not serve: what is wrong is told in one line, with exit status 1.</summary>
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
            return Failed;
        }
    }
}
