using System.Security.Cryptography;
using Bitrix24Placements.Portals;
using Microsoft.AspNetCore.DataProtection;

namespace Bitrix24Placements.Storage;

/// <summary>Encrypts what the store must not hold in the clear. Every value is bound to its portal: moved to another row it opens nothing.</summary>
internal sealed class TokenVault(IDataProtectionProvider provider)
{
    private readonly IDataProtector _protector = provider.CreateProtector("Bitrix24Placements.Portals.v1");

    public string Protect(string memberId, string purpose, string value) => For(memberId, purpose).Protect(value);

    /// <summary>Null where the value cannot be decrypted: its keys are lost, or it is not this portal's.</summary>
    public string? Unprotect(string memberId, string purpose, string value)
    {
        try
        {
            return For(memberId, purpose).Unprotect(value);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    public string ProtectTokens(string memberId, PortalTokens tokens) =>
        Protect(memberId, "tokens", tokens.Access.Reveal() + "\n" + tokens.Refresh.Reveal());

    public (Secret Access, Secret Refresh)? UnprotectTokens(string memberId, string value) =>
        Unprotect(memberId, "tokens", value)?.Split('\n') is [var access, var refresh] ? (new(access), new(refresh)) : null;

    private IDataProtector For(string memberId, string purpose) => _protector.CreateProtector(purpose, memberId);
}
