namespace Bitrix24Placements.Doctor;

internal sealed record ReportedCheck(string Check, string Title, string State, string StateText, IReadOnlyList<ReportedFinding> Findings)
{
    public static ReportedCheck Of(CheckResult result, Texts texts, string language, bool forOperator)
    {
        var state = JsonNamingPolicy.CamelCase.ConvertName(result.State.ToString());
        var seen = forOperator || !result.Check.IsOperators;
        return new(
            result.Check.Id, texts.Get(language, "doctor.check." + result.Check.Id), state, texts.Get(language, "doctor.state." + state),
            [.. result.Findings.Select(f => new ReportedFinding(
                f.Id, texts.Get(language, "doctor." + f.Id), seen ? f.Seen : "",
                    f.IsNote ? "" : texts.Get(language, $"doctor.{f.Id}.do")))]);
    }
}

internal sealed record ReportedFinding(string Id, string What, string Seen, string Do);

internal sealed record Report(bool Healthy, IReadOnlyList<ReportedCheck> Checks);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(Report))]
[JsonSerializable(typeof(Echo))]
[JsonSerializable(typeof(Heartbeat))]
internal sealed partial class DoctorJson : JsonSerializerContext;
