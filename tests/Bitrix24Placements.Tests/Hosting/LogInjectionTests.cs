using System.Text.Json;
using Bitrix24Placements.Tests.Instances;

namespace Bitrix24Placements.Tests.Hosting;

public sealed class LogInjectionTests
{
    private const string Forged = "\r\n{\"@t\":\"2026-01-01\",\"@m\":\"forged\"}\r\n\u001b[31m\u2028forged";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Line_breaks_in_what_is_sent_never_make_a_line_of_the_log()
    {
        await using var fleet = await (await Fleet.OnSqliteAsync()).StartAsync();
        var portal = await fleet.AddPortalAsync();
        var http = fleet[0].Http;
        foreach (var form in new[] { portal.LaunchFields("REST_APP_URI", handler: fleet.PublicUrl + "/placements/rest-app-uri"), portal.LaunchFields("PAGE_BACKGROUND_WORKER", handler: fleet.PublicUrl + "/placements/page-background-worker"), portal.InstallFields() })
        {
            foreach (var name in form.Query.Keys.Concat(form.Body.Keys).ToList())
            {
                var fields = form.Query.Concat(form.Body).ToDictionary(static f => f.Key, static f => f.Value);
                fields[name] += Forged;
                using var answer = await http.PostAsync(form.Handler.AbsolutePath, new FormUrlEncodedContent(fields), Token);
            }
        }

        foreach (var name in new[] { "ONAPPINSTALL", "ONAPPUNINSTALL", "ONAPPUPDATE" })
        {
            foreach (var field in portal.EventFields(name).Keys)
            {
                var fields = portal.EventFields(name);
                fields[field] += Forged;
                using var answer = await http.PostAsync("/events", new FormUrlEncodedContent(fields), Token);
            }
        }

        using var path = await http.GetAsync("/placements/" + Uri.EscapeDataString(Forged), Token);
        // A process that has ended has written everything.
        Assert.Equal(0, await fleet[0].TerminateAsync());

        var lines = fleet[0].Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.NotEmpty(lines);
        Assert.All(lines, static line =>
        {
            using var entry = JsonDocument.Parse(line);
            Assert.NotEqual("forged", entry.RootElement.GetProperty("@m").GetString());
        });
    }
}
