namespace Bitrix24Placements.PortalSimulator;

public sealed record SimUser(int Id, string FirstName, string LastName, bool Admin, string Language)
{
    public string Name => $"{FirstName} {LastName}";
}
