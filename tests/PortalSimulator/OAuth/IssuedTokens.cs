namespace Bitrix24Placements.PortalSimulator;

/// <summary>A pair as the OAuth server gives it.</summary>
/// <param name="ExpiresIn">Seconds.</param>
public sealed record IssuedTokens(string Access, string Refresh, DateTimeOffset Expires, int ExpiresIn)
{
    public void Deconstruct(out string access, out string refresh) => (access, refresh) = (Access, Refresh);
}
