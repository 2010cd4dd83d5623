using Bitrix24Placements.Doctor;

namespace Bitrix24Placements.Commands;

/// <summary>The service may run beside it, or not.</summary>
internal static class DoctorCommand
{
    /// <summary>Each check has its own limit.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(90);

    public static async Task<int> RunAsync(
        WebApplicationBuilder builder, Action<WebApplication> configure, string? portal, string? appName, bool asJson)
    {
        // Its words are the answer, which may be read as JSON.
        builder.Logging.ClearProviders();
        // A key that this process makes might not be readable to the service.
        builder.Services.PostConfigure<StorageOptions>(o => o.MayMakeKeys = false);
        if (portal is null ? appName is not null : !PortalId.IsMemberId(portal))
        {
            await Console.Error.WriteLineAsync("--portal takes a member_id, 32 hexadecimal digits, and --app stands beside it.");
            return 1;
        }

        return await CommandRun.RunAsync(builder, async app =>
        {
            configure(app);
            using var deadline = new CancellationTokenSource(Timeout);
            var report = app.Services.GetRequiredService<CommandReport>();
            PortalId? asked = portal is null ? null : new(portal, appName ?? PortalId.DefaultApp);
            return await report.WriteAsync(asked, asJson, Console.Out, deadline.Token) ? 0 : 1;
        });
    }
}
