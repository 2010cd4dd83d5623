using System.Net;
using System.Text;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Hosting;

/// <summary>Nothing that a client sends is answered with 500.</summary>
public sealed class FuzzTests(SharedInstalledService shared)
{
    private const int Requests = 400;

    /// <summary>Seconds; the variable that lengthens the property tests of CsCheck too.</summary>
    private const string TimeVariable = "CsCheck_Time";

    private static readonly string[] Addresses =
    [
        "/", "/install", "/events", "/placements", "/placements/rest-app-uri", "/placements/page-background-worker", "/placements/page-background-worker/removed/key", "/placements/page-background-worker/removed/%00%FF",
        "/api/signals", "/api/links", "/api/context", "/health/live", "/health/ready", "/static/app.css", "/static/../appsettings.json", "/static/%2e%2e/%00", "/%F0%28", "/nothing",
    ];

    private static readonly string[] Types = ["application/x-www-form-urlencoded", "application/json", "multipart/form-data", "text/plain;charset=utf-7", "application/x-www-form-urlencoded; charset=\"\"", "///", ""];

    private static readonly string[] Texts =
    [
        "", "x", "%", "%FF", "%00", "&&&===", "[", "{}", "[]", "null", "{\"params\":{}}", "{\"params\":{\"a\":{\"a\":[]}}}", "{\"memberId\":1,\"memberId\":2}", "\\ud800", "\u0000", "Ж", "event=ONAPPINSTALL", "event=ONAPPUPDATE&auth[member_id]=x",
        "event=ONAPPUNINSTALL", "auth[domain]=x", "auth[member_id]=00000000000000000000000000000000", "auth[server_endpoint]=http://[", "auth[expires]=99999999999999999999", "auth[access_token]=x", "PLACEMENT=DEFAULT", "error=x",
    ];

    private static readonly string[] Headers = ["Accept", "Authorization", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Content-Encoding", "Range", "If-None-Match", "Cookie", "Origin", "Traceparent", "Expect"];

    private static readonly string[] Values = ["text/html", "application/json", "Bearer ", "Bearer x.y.z", "Bearer " + Service.ApiKey, "Basic !", "1.2.3.4, evil", "https", "javascript", "gzip", "bytes=0-99999999999", "\"x\"", "a=b", "00-x", "*/*;q=2", "é"];

    [Fact]
    public async Task Random_requests_to_every_address_are_never_answered_with_500()
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        var valid = shared.Service.Portal.LaunchFields("REST_APP_URI", 2);
        var until = DateTime.UtcNow.AddSeconds(int.TryParse(Environment.GetEnvironmentVariable(TimeVariable), out var seconds) ? seconds : 0);
        for (var i = 0; i < Requests || DateTime.UtcNow < until; i++)
        {
            using var request = Request(random, valid);
            using var answer = await SendAsync(request);
            if (answer is null)
                continue;
            Assert.True(answer.StatusCode != HttpStatusCode.InternalServerError, $"Seed {seed}, request {i}: {request}");
            var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            Assert.DoesNotContain("   at ", text, StringComparison.Ordinal);
            Assert.DoesNotContain("Exception", text, StringComparison.Ordinal);
        }

        using var alive = await shared.Service.WorkerAsync();
        Assert.Equal(HttpStatusCode.OK, alive.StatusCode);
        Assert.DoesNotContain(shared.Service.Logs, line => line.StartsWith("Error: A request could not be served", StringComparison.Ordinal));
    }

    private static HttpRequestMessage Request(Random random, PortalSimulator.LaunchForm valid)
    {
        string[] methods = ["POST", "POST", "POST", "POST", "GET", "HEAD", "PUT", "OPTIONS", "BREW"];
        var request = new HttpRequestMessage(new HttpMethod(Pick(random, methods)), Pick(random, Addresses) + (random.Next(3) == 0 ? "?" + Uri.EscapeDataString(Pick(random, Texts)) + "=" + Uri.EscapeDataString(Pick(random, Texts)) : ""));
        if (request.Method.Method is not ("GET" or "HEAD"))
        {
            request.Content = new ByteArrayContent(Body(random, valid));
            request.Content.Headers.TryAddWithoutValidation("Content-Type", random.Next(2) == 0 ? Types[random.Next(2)] : Pick(random, Types));
        }

        for (var i = random.Next(4); i > 0; i--)
        {
            var (name, value) = (Pick(random, Headers), Pick(random, Values));
            if (!request.Headers.TryAddWithoutValidation(name, value))
                request.Content?.Headers.TryAddWithoutValidation(name, value);
        }

        return request;
    }

    private static byte[] Body(Random random, PortalSimulator.LaunchForm valid)
    {
        switch (random.Next(4))
        {
            case 0:
                var noise = new byte[random.Next(2000)];
                random.NextBytes(noise);
                return noise;
            case 1:
                return Encoding.UTF8.GetBytes(string.Join('&', Enumerable.Range(0, random.Next(300)).Select(_ => Pick(random, Texts))));
            case 2:
                var fields = valid.Query.Concat(valid.Body).ToDictionary();
                for (var i = random.Next(3); i >= 0; i--)
                    fields[Pick(random, [.. fields.Keys])] = Pick(random, Texts);
                return Encoding.UTF8.GetBytes(string.Join('&', fields.Select(f => f.Key + "=" + Uri.EscapeDataString(f.Value))));
            default:
                return Encoding.UTF8.GetBytes(Pick(random, Texts));
        }
    }

    /// <summary>Null where the server has closed the connection upon something that is no HTTP.</summary>
    private async Task<HttpResponseMessage?> SendAsync(HttpRequestMessage request)
    {
        try
        {
            return await shared.Service.Http.SendAsync(request, TestContext.Current.CancellationToken);
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    private static string Pick(Random random, string[] choices) => choices[random.Next(choices.Length)];
}
