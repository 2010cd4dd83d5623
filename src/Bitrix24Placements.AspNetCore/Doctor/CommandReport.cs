using System.Text.Encodings.Web;

namespace Bitrix24Placements.Doctor;

internal sealed class CommandReport(Examiner examiner, Texts texts)
{
    private static readonly DoctorJson Json = new(
        new(DoctorJson.Default.Options) { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    /// <returns>Whether all is well.</returns>
    public async Task<bool> WriteAsync(PortalId? portal, bool asJson, TextWriter output, CancellationToken cancellationToken)
    {
        var healthy = true;
        var checks = new List<ReportedCheck>();
        await foreach (var check in examiner.RunAsync(portal, Texts.Fallback, forOperator: true, cancellationToken))
        {
            healthy &= check.State != ReportedCheck.Wrong;
            checks.Add(check);
            if (!asJson)
                await WriteAsync(check, output);
        }

        await output.WriteLineAsync(asJson
            ? JsonSerializer.Serialize(new Report(healthy, checks), Json.Report)
            : texts.Get(Texts.Fallback, healthy ? "doctor.healthy" : "doctor.ill"));
        return healthy;
    }

    private static async Task WriteAsync(ReportedCheck check, TextWriter output)
    {
        await output.WriteLineAsync($"{check.Title}: {check.StateText}");
        foreach (var finding in check.Findings)
        {
            await output.WriteLineAsync($"  {finding.What}");
            if (finding.Seen.Length > 0)
                await output.WriteLineAsync($"    seen: {finding.Seen}");
            if (finding.Do.Length > 0)
                await output.WriteLineAsync($"    do:   {finding.Do}");
        }
    }
}
