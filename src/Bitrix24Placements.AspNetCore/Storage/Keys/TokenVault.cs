using Microsoft.AspNetCore.DataProtection;

namespace Bitrix24Placements.Storage;

/// <summary>Values are bound to their owner: in another row they open nothing.</summary>
internal sealed class TokenVault(TokenKeys keys)
{
    private IDataProtector Protector => field ??= keys.Provider.CreateProtector("Bitrix24Placements.Portals.v1");

    public bool IsUsable => keys.AreUsable;

    public string Protect(PortalId id, string purpose, string value) => For(id, purpose).Protect(value);

    public string? Unprotect(PortalId id, string purpose, string value) => TryOpen(For(id, purpose), value);

    public string Protect(string owner, string purpose, string value) => For(owner, purpose).Protect(value);

    /// <summary>Null where the keys are lost, or the owner is another.</summary>
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

    private IDataProtector For(string owner, string purpose) => Protector.CreateProtector(purpose, owner);

    // The default app's are bound as when there was no other.
    private IDataProtector For(PortalId id, string purpose) =>
        id.App == PortalId.DefaultApp ? For(id.MemberId, purpose) : Protector.CreateProtector(purpose, id.MemberId, id.App);
}
