namespace Bitrix24Placements;

/// <summary>An installation: a portal, and which of this service's apps it has installed. The same portal with another app is
/// another one.</summary>
public readonly record struct PortalId
{
    /// <summary>The app of <c>Bitrix24:ClientId</c>.</summary>
    public const string DefaultApp = "default";

    private readonly string? _memberId;
    private readonly string? _app;

    /// <param name="memberId">32 hexadecimal digits.</param>
    /// <param name="app">The app's name.</param>
    /// <exception cref="ArgumentException">Not a member_id.</exception>
    public PortalId(string memberId, string app = DefaultApp)
    {
        if (!IsMemberId(memberId))
            throw new ArgumentException("A member_id has 32 hexadecimal digits.", nameof(memberId));
        (_memberId, _app) = (memberId.ToLowerInvariant(), app);
    }

    /// <summary>32 hexadecimal digits, lower case. Survives a change of the portal's domain.</summary>
    public string MemberId => _memberId ?? "";

    /// <summary>The app's name: <see cref="DefaultApp"/>, or one of <c>Bitrix24:Apps</c>.</summary>
    public string App => _app ?? DefaultApp;

    public static bool IsMemberId(string? text) => text is { Length: 32 } && text.All(char.IsAsciiHexDigit);

    /// <summary>For logs: the app is named where it is not the default one.</summary>
    public override string ToString() => App == DefaultApp ? MemberId : MemberId + "/" + App;
}
