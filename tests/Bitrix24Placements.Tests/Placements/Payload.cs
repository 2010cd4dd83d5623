using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Bitrix24Placements.Forms;
using Bitrix24Placements.Placements;
using Bitrix24Placements.Refusals;

namespace Bitrix24Placements.Tests.Placements;

/// <summary>A request as it was captured: the address in the first line, the body in the second, and beside it as JSON what is to come of it.</summary>
public sealed record Payload(string Name, string Path, string Query, string Body, JsonObject Expected)
{
    private static readonly string Folder = System.IO.Path.Combine(AppContext.BaseDirectory, "Payloads");

    public static TheoryData<string> Names(string folder) =>
        [.. Directory.GetFiles(System.IO.Path.Combine(Folder, folder), "*.txt").Select(f => folder + "/" + System.IO.Path.GetFileNameWithoutExtension(f)).Order(StringComparer.Ordinal)];

    public static Payload Read(string name)
    {
        var file = System.IO.Path.Combine(Folder, name);
        var lines = File.ReadAllText(file + ".txt").Split('\n', 2);
        var address = lines[0].Split('?', 2);
        return new(name, address[0], address.Length == 2 ? address[1] : "", lines[1].TrimEnd('\n'), (JsonObject)JsonNode.Parse(File.ReadAllText(file + ".json"))!);
    }

    internal PlacementExpectation Expectation => Path switch
    {
        "/placements/rest-app-uri" => new(PlacementCatalogue.RestAppUri),
        "/placements/page-background-worker" => new(PlacementCatalogue.BackgroundWorker),
        "/placements" => new(PlacementCatalogue.RestAppUri, PlacementCatalogue.BackgroundWorker),
        _ => new(PlacementCatalogue.Default),
    };

    internal Checked<PlacementPost> Parse()
    {
        using var form = WireForm.Parse("?" + Query, Body);
        return form.HasTooManyFields ? FormBody.TooManyFields : PlacementParser.Parse(form, Expectation);
    }

    public async Task<HttpResponseMessage> SendAsync(HttpClient http, string accept = "application/json")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, Query.Length == 0 ? Path : Path + "?" + Query)
        {
            Content = new ByteArrayContent(Encoding.ASCII.GetBytes(Body)),
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/x-www-form-urlencoded");
        request.Headers.Accept.ParseAdd(accept);
        return await http.SendAsync(request, TestContext.Current.CancellationToken);
    }
}
