using Bitrix24Placements.Apps;

namespace Bitrix24Placements.Placements;

/// <summary>A launch that is believed: what was posted, what of it is true, and what a request needs to tell more.</summary>
internal sealed record Launch(PlacementPost Post, Believed Believed, LaunchServices Services)
{
    public PortalAddress Portal { get; } =
        Believed.Portal?.Address ?? new PortalAddress(new(Post.MemberId), Post.Domain, Post.IsHttps ? "https" : "http");
}

internal sealed record LaunchServices(AppRegistry Apps, PageSessions Sessions);
