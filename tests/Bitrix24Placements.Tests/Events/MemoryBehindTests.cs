using System.Net;
using Bitrix24Placements.Portals;
using Bitrix24Placements.Storage;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Events;

/// <summary>What Bitrix24 sends once, just after another instance has changed the portal.</summary>
public sealed class MemoryBehindTests(ThrowawayPostgres postgres) : IDisposable
{
    private const string NewToken = "a-new-application-token";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("b24p-");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static MatrixTheoryData<StorageProvider, string> Events => new(
        [StorageProvider.Sqlite, StorageProvider.PostgreSql], ["ONAPPUNINSTALL", "ONAPPUSERREADY", "ONCRMDEALADD"]);

    [Theory, MemberData(nameof(Events))]
    public async Task An_application_token_that_memory_does_not_know_yet_is_looked_up(StorageProvider provider, string name)
    {
        await using var service = await StartAsync(provider);
        await RenewTokenElsewhereAsync(service);
        Assert.Equal(HttpStatusCode.Forbidden, await WorkerAsync(service));

        Assert.Equal(HttpStatusCode.Forbidden, await TellAsync(service, "ONAPPTEST", "a wrong one"));
        await RenewTokenElsewhereAsync(service, "another-one");
        Assert.Equal(HttpStatusCode.OK, await TellAsync(service, name, "another-one"));
        Assert.Equal(HttpStatusCode.Forbidden, await TellAsync(service, name, service.Portal.App.ApplicationToken));
    }

    [Theory, InlineData(StorageProvider.Sqlite), InlineData(StorageProvider.PostgreSql)]
    public async Task So_it_is_beside_somebody_who_has_failed_too_often(StorageProvider provider)
    {
        await using var service = await StartAsync(provider, unverifiedPerMinute: 1);
        Assert.Equal(HttpStatusCode.Forbidden, await TellAsync(service, "ONCRMDEALADD", "a wrong one"));
        Assert.Equal(HttpStatusCode.TooManyRequests, await TellAsync(service, "ONCRMDEALADD", "a wrong one"));

        await RenewTokenElsewhereAsync(service);

        Assert.Equal(HttpStatusCode.OK, await TellAsync(service, "ONCRMDEALADD", NewToken));
        Assert.Equal(HttpStatusCode.OK, await WorkerAsync(service));
    }

    [Fact]
    public async Task While_the_store_is_away_nobody_who_guesses_fills_a_known_portals_share_of_the_spool()
    {
        await using var service = await StartAsync(StorageProvider.Sqlite);
        await service.Get<Database>().ExecuteAsync("ALTER TABLE portals RENAME TO away", Token);

        // An update that waits may have brought his token, for all that anybody knows.
        for (var i = 0; await TellAsync(service, "ONAPPUNINSTALL", "a wrong one") != HttpStatusCode.ServiceUnavailable; i++)
            Assert.True(i <= SpoolShares.MaxOfKey, "they are bounded");

        Assert.DoesNotContain(service.Get<Spool>().List(), static f => !f.IsOfStranger);
        await service.Get<Database>().ExecuteAsync("ALTER TABLE work RENAME TO away2", Token);
        Assert.Equal(HttpStatusCode.OK, await TellAsync(service, "ONAPPUNINSTALL", service.Portal.App.ApplicationToken));
        await service.Get<Database>().ExecuteAsync("ALTER TABLE away2 RENAME TO work", Token);
        await service.Get<Database>().ExecuteAsync("ALTER TABLE away RENAME TO portals", Token);
    }

    public void Dispose() => _folder.Delete(true);

    private async Task<Service> StartAsync(StorageProvider provider, int unverifiedPerMinute = 300)
    {
        var settings = provider == StorageProvider.Sqlite ? []
            : Certificates.Settings(await postgres.NewDatabaseAsync(), Certificates.Make(_folder, "memory"));
        settings["Limits:UnverifiedPerMinute"] = $"{unverifiedPerMinute}";
        var service = await Service.StartInstalledAsync(settings);
        using var worker = await service.WorkerAsync();
        Assert.Equal(HttpStatusCode.OK, worker.StatusCode);
        return service;
    }

    /// <summary>Without the note that instances follow: it has not been read yet.</summary>
    private static Task<int> RenewTokenElsewhereAsync(Service service, string token = NewToken) => service.Get<Database>().ExecuteAsync(
        $"UPDATE portals SET application_token_hash = {ApplicationToken.Hash(token)}", Token);

    private static async Task<HttpStatusCode> WorkerAsync(Service service)
    {
        using var answer = await service.WorkerAsync(change: form => form.Body["APPLICATION_TOKEN"] = NewToken);
        return answer.StatusCode;
    }

    private static async Task<HttpStatusCode> TellAsync(Service service, string name, string applicationToken)
    {
        var fields = service.Portal.EventFields(name);
        fields["auth[application_token]"] = applicationToken;
        using var answer = await service.PostAsync("/events", fields);
        return answer.StatusCode;
    }
}
