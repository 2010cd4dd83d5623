using Bitrix24Placements.Apps;

namespace Bitrix24Placements.Placements;

internal sealed record Launch(PlacementPost Post, Believed Believed, LaunchServices Services)
{
    public PortalAddress Portal { get; } =
        Believed.Portal?.Address ?? new PortalAddress(new(Post.MemberId), Post.Domain, Post.Protocol);
}

internal sealed record LaunchServices(AppRegistry Apps, PageSessions Sessions);
