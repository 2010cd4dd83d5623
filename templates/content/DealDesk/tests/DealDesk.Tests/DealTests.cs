using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Bitrix24Placements.PortalSimulator;

namespace DealDesk.Tests;

public sealed class DealTests : IAsyncLifetime
{
    private InstalledApp<Program> _portal = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var data = Directory.CreateTempSubdirectory("dealdesk-");
        _portal = await InstalledApp<Program>.StartAsync(
            new Dictionary<string, string?> { ["DealDesk:ConnectionString"] = $"Data Source={Path.Combine(data.FullName, "dealdesk.db")}" }, cancellationToken: Token);
        _portal.Bitrix.Methods["crm.deal.get"] = call => JsonNode.Parse("""{"ID":"5","TITLE":"Forty chairs","OPPORTUNITY":"9000","ASSIGNED_BY_ID":"2"}""")!;
    }

    public ValueTask DisposeAsync() => _portal.DisposeAsync();

    [Fact]
    public async Task The_tab_of_a_deal_is_registered_and_shows_it()
    {
        Assert.Contains(_portal.Portal.Placements, static p => p.Placement == "CRM_DEAL_DETAIL_TAB");

        using var page = await _portal.PlacementAsync("CRM_DEAL_DETAIL_TAB", new() { ["ID"] = "5" }, userId: 2, cancellationToken: Token);

        Assert.Contains("Forty chairs", await page.Content.ReadAsStringAsync(Token), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_link_that_names_no_deal_says_so()
    {
        using var page = await _portal.LinkAsync(cancellationToken: Token);

        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        Assert.Contains("Open a deal", await page.Content.ReadAsStringAsync(Token), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_comment_is_made_as_the_user_of_the_page()
    {
        long? author = null;
        _portal.Bitrix.Methods["crm.timeline.comment.add"] = call =>
        {
            author = call.UserId;
            return JsonValue.Create(1);
        };
        using var page = await _portal.LinkAsync(new() { ["docId"] = "5" }, userId: 2, cancellationToken: Token);

        using var answer = await _portal.FetchAsync(page, HttpMethod.Post, "/deals/5/comment", new JsonObject { ["text"] = "Call them" }, Token);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(2, author);
    }

    [Fact]
    public async Task Without_a_session_nothing_is_commented()
    {
        using var answer = await _portal.Http.PostAsJsonAsync("/deals/5/comment", new { text = "Call them" }, Token);

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    [Fact]
    public async Task A_new_deal_opens_its_page_for_whoever_is_responsible()
    {
        await _portal.Portal.SendEventAsync("ONCRMDEALADD", new JsonObject { ["FIELDS"] = new JsonObject { ["ID"] = "5" } }, cancellationToken: Token);

        await _portal.EventuallyAsync(() => _portal.Portal.Calls.Any(static c => c.Method == "pull.application.event.add"), "the signal", Token);
    }
}
