using System.Runtime.CompilerServices;

namespace Bitrix24Placements.Doctor;

/// <summary>In their order, so that what is told first is the cause and not its consequences.</summary>
internal sealed class Examiner(IEnumerable<Check> checks)
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(9);

    public async IAsyncEnumerable<CheckResult> RunAsync(
        Examination examination, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var good = new HashSet<string>();
        foreach (var check in checks)
        {
            var result = check.Needs.All(good.Contains)
                ? Read(check, await FindingsAsync(check, examination, cancellationToken)) : new(check, CheckState.NotLooked, []);
            if (result.State == CheckState.Good)
                good.Add(check.Id);
            yield return result;
        }
    }

    private static CheckResult Read(Check check, IReadOnlyList<Finding> findings) =>
        new(check, findings is [] ? CheckState.Good :
            findings.All(f => f.IsNote) ? CheckState.NotLooked : CheckState.Wrong, findings);

    private static async Task<IReadOnlyList<Finding>> FindingsAsync(
        Check check, Examination examination, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(Timeout);
        try
        {
            return await check.RunAsync(examination, deadline.Token).WaitAsync(deadline.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return Finding.One("timeout", $"{check.Id}: {Timeout.TotalSeconds} s");
        }
        catch (DbException e)
        {
            // The driver names the operator's host, and this check's findings may be told to a portal's administrator.
            return Finding.One("database.silent", check.IsOperators ? e.Message : "");
        }
    }
}
