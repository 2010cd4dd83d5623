using System.Text.Json.Nodes;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Doctor;

/// <summary>The command, as a process of its own beside a service that runs.</summary>
public sealed class DoctorCommandTests
{
    [Fact]
    public async Task Nothing_wrong_is_exit_status_0()
    {
        await using var patient = await Patient.StartAsync();
        var run = await RunAsync(patient, "doctor", "--json");
        Assert.Equal(0, run.ExitCode);
        Assert.True((bool)JsonNode.Parse(run.Output)!["healthy"]!);
    }

    [Fact]
    public async Task What_is_wrong_is_told_with_exit_status_1_in_the_language_of_the_log()
    {
        await using var patient = await Patient.StartAsync();
        patient.Proxy.RefusesHead = true;
        var run = await RunAsync(patient, "doctor", "--portal", patient.Portal.MemberId);
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("HEAD is not answered with 200", run.Output, StringComparison.Ordinal);
        Assert.Contains($"seen: HEAD {patient.Proxy.Url}placements/rest-app-uri: 405", run.Output, StringComparison.Ordinal);
        Assert.Contains("do:   Let the proxy pass HEAD on.", run.Output, StringComparison.Ordinal);
        foreach (var secret in new[] { patient.Service.Bitrix.Options.ClientSecret, patient.Portal.App.ApplicationToken })
            Assert.DoesNotContain(secret, run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_portal_that_is_not_there_is_named()
    {
        await using var patient = await Patient.StartAsync();
        var run = await RunAsync(patient, "doctor", "--portal", new string('0', 32));
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("The app is not installed on this portal.", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_app_of_the_portal_is_looked_at_by_its_name()
    {
        await using var patient = await Patient.StartAsync();
        var run = await RunAsync(patient, "doctor", "--portal", patient.Portal.MemberId, "--app", "acme");
        Assert.Equal(1, run.ExitCode);
        Assert.Contains($"seen: {patient.Portal.MemberId}/acme", run.Output, StringComparison.Ordinal);
        Assert.Equal(1, (await RunAsync(patient, "doctor", "--app", "acme")).ExitCode);
    }

    [Fact]
    public async Task Keys_that_are_lost_are_not_made_anew()
    {
        await using var patient = await Patient.StartAsync();
        var keys = Path.Combine(patient.Service.Folder.FullName, "keys");
        Directory.Delete(keys, true);
        var run = await RunAsync(patient, "doctor");
        Assert.Contains("The stored tokens cannot be decrypted", run.Output, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(keys));
    }

    private static Task<FailedStart> RunAsync(Patient patient, params string[] arguments)
    {
        var environment = patient.Settings.Where(static s => s.Value is not null).ToDictionary(static
            s => s.Key.Replace(":", "__", StringComparison.Ordinal), static s => s.Value!);
        environment["ASPNETCORE_ENVIRONMENT"] = "Production";
        return FailedStart.RunAsync(environment, arguments);
    }
}
