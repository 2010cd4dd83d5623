namespace Bitrix24Placements.PortalSimulator;

/// <param name="Language">As Bitrix24 writes it: <c>la</c> is Spanish, <c>br</c> is Portuguese.</param>
public sealed record SimUser(int Id, string FirstName, string LastName, bool Admin, string Language)
{
    public string Name => $"{FirstName} {LastName}";

    /// <summary>False after <see cref="SimPortal.Dismiss"/>.</summary>
    public bool Active { get; init; } = true;
}
