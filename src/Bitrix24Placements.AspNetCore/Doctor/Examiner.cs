using System.Runtime.CompilerServices;
using Bitrix24Placements.Portals;

namespace Bitrix24Placements.Doctor;

internal sealed class Examiner(
    StoreChecks store, AddressChecks address, CertificateCheck certificate, OAuthChecks oauth, PortalChecks portal, Texts texts)
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(9);

    /// <summary>Causes before consequences.</summary>
    private readonly Check[] _checks =
    [
        new("settings", (_, _) => Task.FromResult(address.Settings())),
        new("database", (_, token) => store.DatabaseAsync(token)) { IsOperators = true },
        new("tokenKeys", store.TokenKeysAsync, "database") { IsOperators = true },
        new("name", (_, token) => address.NameAsync(token), "settings") { IsOperators = true },
        new("certificate", (_, token) => certificate.RunAsync(token), "name"),
        new("addresses", (_, token) => address.AddressesAsync(token), "certificate"),
        new("clock", oauth.ClockAsync),
        new("appKeys", oauth.KeysAsync),
        new("portal", OfPortal(portal.TokensAsync), "tokenKeys", "appKeys"),
        new("registrations", OfPortal(portal.RegistrationsAsync), "settings", "portal"),
        new("wayBack", OfPortal(portal.WayBackAsync), "addresses", "portal"),
        new("worker", OfPortal(portal.WorkerAsync), "tokenKeys"),
    ];

    public async IAsyncEnumerable<ReportedCheck> RunAsync(
        PortalId? asked, string language, bool forOperator, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var examination = new Examination(asked);
        var good = new HashSet<string>();
        foreach (var check in _checks)
        {
            var findings = check.Needs.All(good.Contains) ? await FindingsAsync(check, examination, cancellationToken) : null;
            if (findings is [])
                good.Add(check.Id);
            yield return ReportedCheck.Of(check, findings, texts, language, forOperator);
        }
    }

    private static async Task<Finding[]> FindingsAsync(Check check, Examination examination, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(Timeout);
        try
        {
            return await check.RunAsync(examination, deadline.Token).WaitAsync(deadline.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return [new("timeout", $"{check.Id}: {Timeout.TotalSeconds} s")];
        }
        catch (DbException e)
        {
            // The driver names the operator's host, which a portal's administrator must not see.
            return [new("database.silent", check.IsOperators ? e.Message : "")];
        }
    }

    private static Func<Examination, CancellationToken, Task<Finding[]>> OfPortal(Func<Portal, CancellationToken, Task<Finding[]>> run) =>
        (examination, token) => examination.Portal is { } portal ? run(portal, token)
            : Task.FromResult<Finding[]>([Finding.Note("portal.none")]);
}
