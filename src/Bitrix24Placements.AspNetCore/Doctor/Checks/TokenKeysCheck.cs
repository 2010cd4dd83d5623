using Bitrix24Placements.Portals;

namespace Bitrix24Placements.Doctor.Checks;

/// <summary>Finds the portal that the later checks look at, too.</summary>
internal sealed class TokenKeysCheck(PortalStore portals) : Check(Name, DatabaseCheck.Name)
{
    public const string Name = "tokenKeys";

    /// <summary>Of no portal: so all are of another one.</summary>
    private const string NoDeclaration = "-";

    public override bool IsOperators => true;

    public override async Task<IReadOnlyList<Finding>> RunAsync(Examination examination, CancellationToken cancellationToken)
    {
        try
        {
            var id = examination.Asked ??
                (await portals.OfOtherDeclarationAsync(NoDeclaration, null, 1, cancellationToken)).FirstOrDefault()?.Id;
            if (id is not { } known || await portals.FindAsync(known, cancellationToken) is not { } portal)
                return examination.Asked is { } unknown ? Finding.One("portal.unknown", unknown.ToString()) : Finding.None;
            examination.Portal = portal;
            // Every portal has a removal key, whatever has become of its tokens.
            return portal.RemovalKey.IsEmpty ? Finding.One("tokenKeys.lost", $"{portal.Id}") : Finding.None;
        }
        catch (Exception e) when (e is CryptographicException or InvalidOperationException)
        {
            // The framework has no key at all, or none under this certificate.
            return Finding.One("tokenKeys.lost", e.Message);
        }
    }
}
