using System.Xml.Linq;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Storage;
using Bitrix24Placements.Tests.Harness;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Bitrix24Placements.Tests.Portals;

public sealed class TokenKeysTests(ThrowawayPostgres postgres)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static IXmlRepository Keys(TestStore store) =>
        store.Get<TokenKeys>().Services.GetRequiredService<IOptions<KeyManagementOptions>>().Value.XmlRepository!;

    [Fact]
    public async Task Keys_beside_a_SQLite_file_can_be_read_by_the_service_alone()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no file modes.");
        await using var store = await TestStore.OpenAsync(StorageProvider.Sqlite, postgres);
        await store.InstalledAsync();

        var folder = new DirectoryInfo(Path.Combine(Path.GetDirectoryName(store.Database.FilePath)!, "keys"));
        Assert.NotEmpty(folder.GetFiles("*.xml"));
        Assert.Equal(UnixFileMode.None, folder.UnixFileMode & ~(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute));
    }

    [Fact]
    public async Task Of_two_instances_that_find_no_key_at_the_same_time_one_makes_it()
    {
        await using var store = await TestStore.OpenAsync(StorageProvider.PostgreSql, postgres);
        await using var another = await store.OpenAnotherAsync();
        Assert.Empty(Keys(store).GetAllElements());
        Assert.Empty(Keys(another).GetAllElements());

        await Task.WhenAll(
            Task.Run(() => Keys(store).StoreElement(new XElement("key", "one"), "key-one"), Token),
            Task.Run(() => Keys(another).StoreElement(new XElement("key", "other"), "key-other"), Token));

        Assert.Single(Keys(store).GetAllElements());
        // With the others' keys in sight, another one is added.
        Assert.Single(Keys(another).GetAllElements());
        Keys(another).StoreElement(new XElement("key", "next"), "key-next");
        Assert.Equal(2, Keys(store).GetAllElements().Count);
    }

    [Fact]
    public async Task Instances_that_begin_together_read_each_others_tokens()
    {
        await using var first = await TestStore.OpenAsync(StorageProvider.PostgreSql, postgres);
        await using var second = await first.OpenAnotherAsync();

        var portals = await Task.WhenAll(Task.Run(first.InstalledAsync, Token), Task.Run(second.InstalledAsync, Token));

        foreach (var store in new[] { first, second })
        {
            foreach (var portal in portals)
                Assert.Equal(portal.Tokens, (await store.FindAsync(portal.Id)).Tokens);
        }

        Assert.Single(Keys(first).GetAllElements());
    }

    [Fact]
    public async Task The_database_alone_opens_nothing()
    {
        await using var store = await TestStore.OpenAsync(StorageProvider.PostgreSql, postgres);
        var portal = await store.InstalledAsync();
        var folder = Directory.CreateTempSubdirectory("b24p-");
        var foreign = Certificates.Settings(store.Storage.ConnectionString, Certificates.Make(folder, "foreign"));

        await using var thief = await TestStore.OpenAsync(store.Storage, folder, settings: foreign);

        var read = await thief.FindAsync(portal.Id);
        Assert.Null(read.Tokens);
        Assert.Equal(TokenState.Dead, read.TokenState);
        Assert.True(read.RemovalKey.IsEmpty);
    }

    [Theory]
    [InlineData(StorageProvider.Sqlite)]
    [InlineData(StorageProvider.PostgreSql)]
    public async Task A_changed_certificate_reads_what_its_predecessor_protected(StorageProvider provider)
    {
        await using var store = await TestStore.OpenAsync(provider, postgres, schema: false);
        var folder = Directory.CreateTempSubdirectory("b24p-");
        var (old, present) = (Certificates.Make(folder, "old"), Certificates.Make(folder, "present"));
        PortalId id;
        await using (var before = await TestStore.OpenAsync(store.Storage, settings: Certificates.Settings("", old)))
            id = (await before.InstalledAsync()).Id;
        var settings = Certificates.Settings("", present);
        settings["DataProtection:PreviousCertificates:0"] = old;

        await using var after = await TestStore.OpenAsync(store.Storage, folder, settings: settings);

        Assert.Equal(TestStore.Tokens("first"), (await after.FindAsync(id)).Tokens);
        Assert.Equal(TokenState.Good, (await after.InstalledAsync()).TokenState);
    }

    [Fact]
    public async Task Lost_keys_make_tokens_dead_and_nothing_else()
    {
        await using var store = await TestStore.OpenAsync(StorageProvider.Sqlite, postgres);
        var portal = await store.InstalledAsync();
        Directory.Delete(Path.Combine(Path.GetDirectoryName(store.Database.FilePath)!, "keys"), recursive: true);

        await using var next = await store.OpenAnotherAsync();

        var read = await next.FindAsync(portal.Id);
        Assert.Equal((PortalState.Installed, TokenState.Dead), (read.State, read.TokenState));
        Assert.True(await next.Portals.ReplaceTokensAsync(portal.Id, 1, TestStore.Tokens("his"), portal.OAuthServer, Token));
        Assert.Equal(TokenState.Good, (await next.FindAsync(portal.Id)).TokenState);
    }
}
