using Microsoft.AspNetCore.DataProtection;

namespace Bitrix24Placements.Storage;

/// <summary>Every value is bound to its owner: moved to another row it opens nothing.</summary>
internal sealed class TokenVault(TokenKeys keys)
{
    private readonly Lazy<IDataProtector> _protector = new(() => keys.Provider.CreateProtector("Bitrix24Placements.Portals.v1"));

    public bool IsUsable => keys.AreUsable;

    public string Protect(PortalId id, string purpose, string value) => For(id, purpose).Protect(value);

    public string? Unprotect(PortalId id, string purpose, string value) => TryOpen(For(id, purpose), value);

    public string Protect(string owner, string purpose, string value) => For(owner, purpose).Protect(value);

    /// <summary>Null where the keys are lost, or it is not this owner's.</summary>
    public string? Unprotect(string owner, string purpose, string value) => TryOpen(For(owner, purpose), value);

    private static string? TryOpen(IDataProtector protector, string value)
    {
        try
        {
            return protector.Unprotect(value);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    private IDataProtector For(string owner, string purpose) => _protector.Value.CreateProtector(purpose, owner);

    /// <summary>The default app's values are bound as they were when there was no other.</summary>
    private IDataProtector For(PortalId id, string purpose) =>
        id.App == PortalId.DefaultApp ? For(id.MemberId, purpose) : _protector.Value.CreateProtector(purpose, id.MemberId, id.App);
}
