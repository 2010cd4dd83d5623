namespace Bitrix24Placements.Doctor;

internal sealed record ReportedCheck(string Check, string Title, string State, string StateText, IReadOnlyList<ReportedFinding> Findings)
{
    public const string Wrong = "wrong";

    /// <param name="findings">Null: something that it needs has failed.</param>
    public static ReportedCheck Of(Check check, Finding[]? findings, Texts texts, string language, bool forOperator)
    {
        var state = findings is [] ? "good" : findings?.All(f => f.IsNote) == false ? Wrong : "notLooked";
        var seen = forOperator || !check.IsOperators;
        return new(
            check.Id, texts.Get(language, "doctor.check." + check.Id), state, texts.Get(language, "doctor.state." + state),
            [.. (findings ?? []).Select(f => new ReportedFinding(
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
