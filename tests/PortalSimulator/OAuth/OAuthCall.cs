using System.Security.Cryptography;
using System.Text;

namespace Bitrix24Placements.PortalSimulator;

/// <param name="Kind"><c>token</c> or <c>app.info</c>.</param>
/// <param name="TokenHash">Of the refresh or access token that came, see <see cref="Hash"/>.</param>
public sealed record OAuthCall(string Kind, DateTimeOffset At, string? ClientId, string? TokenHash, string? MemberId, int? UserId)
{
    /// <summary><c>ok</c>, the error code, or the name of the fault; null while it is in progress.</summary>
    public string? Outcome { get; internal set; }

    /// <summary>With a refresh token that was once issued: not a test of an app's keys with one that was made up.</summary>
    public bool IsRefresh => Kind == "token" && MemberId is not null;

    /// <summary>What <see cref="TokenHash"/> is of that token.</summary>
    public static string Hash(string token) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)))[..16];
}
