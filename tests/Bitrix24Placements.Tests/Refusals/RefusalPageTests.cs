using System.Net;
using System.Net.Mime;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Refusals;

/// <summary>What a person and a script read of a refusal.</summary>
public sealed class RefusalPageTests(SharedInstalledService shared)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("en", "Bitrix24 does not confirm this request.")]
    [InlineData("ru", "Битрикс24 не подтверждает этот запрос.")]
    [InlineData("de", "Bitrix24 bestätigt diese Anfrage nicht.")]
    [InlineData("la", "Bitrix24 no confirma esta solicitud.")]
    [InlineData("br", "O Bitrix24 não confirma esta solicitação.")]
    public async Task The_detail_is_in_the_users_language(string language, string detail)
    {
        foreach (var accept in new[] { "text/html", "application/json" })
        {
            using var answer = await shared.Service.LinkAsync(accept: accept, change: f => Forge(f, language));
            Assert.Contains(detail, WebUtility.HtmlDecode(await answer.Content.ReadAsStringAsync(Token)), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_page_that_may_succeed_later_has_a_button_and_no_other_has()
    {
        await using var service = await Service.StartAsync(new() { ["Bitrix24:ClientId"] = null, ["Bitrix24:ClientSecret"] = null });
        using var later = await service.LinkAsync();
        using var never = await service.LinkAsync(change: static f => f.Body.Remove("AUTH_ID"));

        Assert.Equal(HttpStatusCode.ServiceUnavailable, later.StatusCode);
        Assert.Contains("id=\"retry\"", await later.Content.ReadAsStringAsync(Token), StringComparison.Ordinal);
        Assert.Contains("script-src 'sha256-", later.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.BadRequest, never.StatusCode);
        Assert.DoesNotContain("<script", await never.Content.ReadAsStringAsync(Token), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/nowhere", "notFound", 404)]
    [InlineData("/events", "methodNotAllowed", 405)]
    public async Task Json_ends_with_a_newline(string path, string code, int status)
    {
        using var answer = await shared.Service.Http.GetAsync(path, Token);
        Assert.Equal((status, MediaTypeNames.Application.ProblemJson), ((int)answer.StatusCode, answer.Content.Headers.ContentType?.MediaType));
        Assert.Equal(code, await Service.CodeAsync(answer));
        Assert.EndsWith("}\n", await answer.Content.ReadAsStringAsync(Token), StringComparison.Ordinal);
        Assert.EndsWith("}\n", await shared.Service.Http.GetStringAsync("/health/ready", Token), StringComparison.Ordinal);
    }

    private static void Forge(LaunchForm form, string language)
    {
        form.Body["AUTH_ID"] = "forged";
        form.Query["LANG"] = language;
    }
}
