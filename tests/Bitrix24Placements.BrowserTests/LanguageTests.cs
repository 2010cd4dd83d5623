using Bitrix24Placements.BrowserTests.Harness;

namespace Bitrix24Placements.BrowserTests;

public sealed class LanguageTests(Chromium chromium) : BrowserTest(chromium)
{
    [Theory]
    [InlineData("en", "en", "Opened by a link", "The connection to the portal works.", "The installation is not complete.")]
    [InlineData("ru", "ru", "Открыто по ссылке", "Соединение с порталом работает.", "Установка не завершена.")]
    [InlineData("de", "de", "Per Link geöffnet", "Die Verbindung zum Portal funktioniert.", "Die Installation ist nicht vollständig.")]
    [InlineData("la", "es", "Abierto desde un enlace", "La conexión con la cuenta de Bitrix24 funciona.", "La instalación no se ha completado.")]
    [InlineData("br", "pt-BR", "Aberto por um link", "A conexão com a conta do Bitrix24 está funcionando.", "A instalação não foi concluída.")]
    public async Task Pages_speak_the_language_of_the_portal(string lang, string tag, string link, string app, string wizard)
    {
        var tab = await OpenAsync(userId: 2, lang: lang);
        await tab.OpenLinkAsync($"/marketplace/view/{Portal.App.ClientId}/?params[docId]=42", userId: 2, lang: lang);
        await Expect(tab.App.Locator("html")).ToHaveAttributeAsync("lang", tag);
        await Expect(tab.App.Locator("h1")).ToHaveTextAsync(link);

        await tab.GoToAsync("/stream/", 2, lang);
        await tab.OpenAppAsync();
        await Expect(tab.App.Locator("html")).ToHaveAttributeAsync("lang", tag);
        await Expect(tab.App.Locator("#tokens")).ToHaveTextAsync(app);

        await Portal.InstallAsync(cancellationToken: Cancellation);
        await tab.GoToAsync("/stream/", 2, lang);
        await tab.OpenAppAsync();
        await Expect(tab.App.Locator("html")).ToHaveAttributeAsync("lang", tag);
        await Expect(tab.App.GetByRole(AriaRole.Alert)).ToHaveTextAsync(wizard);
    }

    [Fact]
    public async Task A_language_without_texts_gets_English()
    {
        var tab = await OpenAsync(lang: "kz");
        await tab.OpenLinkAsync($"/marketplace/view/{Portal.App.ClientId}/?params[docId]=42", lang: "kz");

        await Expect(tab.App.Locator("html")).ToHaveAttributeAsync("lang", "en");
        await Expect(tab.App.Locator("h1")).ToHaveTextAsync("Opened by a link");
    }
}
