using Bitrix24Placements.Installation;

namespace Bitrix24Placements.Tests.Installation;

/// <summary>Wizards of one portal watch one run together, which may take hours.</summary>
public sealed class WatchedRunTests
{
    private static readonly PlacementOutcome Registered = new("REST_APP_URI", "https://app.example.com", "registered", null);

    [Fact]
    public void Who_has_gone_away_is_told_nothing_more()
    {
        var run = new WatchedRun();
        var (gone, here) = (run.Watch(), run.Watch());

        run.Leave(gone);
        run.Tell(Registered);
        run.End();

        Assert.False(gone.Reader.TryRead(out _));
        Assert.True(here.Reader.TryRead(out _));
        Assert.True(here.Reader.Completion.IsCompletedSuccessfully);
    }
}
