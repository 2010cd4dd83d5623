namespace Bitrix24Placements.PortalSimulator;

public sealed record IssuedTokens(string Access, string Refresh, DateTimeOffset Expires, int ExpiresIn)
{
    public void Deconstruct(out string access, out string refresh) => (access, refresh) = (Access, Refresh);
}
