using Bitrix24Placements.Doctor;
using Bitrix24Placements.Placements;

namespace Bitrix24Placements.Tests.Doctor;

/// <summary>Each fault that is seeded is what the doctor names first; where there is none, he finds none.</summary>
public sealed class DiagnosisTests
{
    public static TheoryData<string> Faults => [.. SeededFaults.All.Keys];

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task The_fault_is_named_first(string name)
    {
        var fault = SeededFaults.All[name];
        await using var patient = await Patient.StartAsync(fault.Certificate);
        await fault.Seed(patient);
        var diagnosis = await patient.ExamineAsync();
        Assert.NotEmpty(diagnosis.Findings);
        Assert.Equal(fault.Expected, diagnosis.Findings[0].Id);
        Assert.NotEqual("", diagnosis.Findings[0].Seen);
        Assert.True(diagnosis.FirstAfter < TimeSpan.FromSeconds(10), $"{diagnosis.FirstAfter}");
    }

    [Fact]
    public async Task Nothing_is_found_where_nothing_is_wrong()
    {
        await using var patient = await Patient.StartAsync();
        (await patient.Service.WorkerAsync()).Dispose();
        await patient.BeatAsync(240);
        await patient.Service.Get<WorkerLoads>().FlushAsync(TestContext.Current.CancellationToken);
        await patient.Service.Get<Heartbeats>().FlushAsync(TestContext.Current.CancellationToken);
        var before = patient.Portal.EventHandlers.Count;
        Assert.Empty((await patient.ExamineAsync()).Findings);
        Assert.Equal(before, patient.Portal.EventHandlers.Count);
    }

    [Fact]
    public void Every_finding_has_words_in_every_language()
    {
        var texts = new Texts();
        var english = texts.Keys("en").Where(static k => k.StartsWith("doctor.", StringComparison.Ordinal)).Order().ToList();
        foreach (var language in Texts.Languages)
            Assert.Equal(english, texts.Keys(language).Where(static k => k.StartsWith("doctor.", StringComparison.Ordinal)).Order());
        foreach (var id in SeededFaults.All.Values.Select(static f => f.Expected).Distinct())
        {
            Assert.Contains("doctor." + id, english);
            Assert.Contains($"doctor.{id}.do", english);
        }
    }
}
