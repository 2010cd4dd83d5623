using BenchmarkDotNet.Attributes;
using Bitrix24Placements.Forms;
using Bitrix24Placements.Placements;

namespace Benchmarks;

/// <summary>What a worker load costs before and after Kestrel: reading the form, typing it.</summary>
[MemoryDiagnoser]
public class HotPathBenchmarks
{
    private const string Query = "DOMAIN=portal.bitrix24.com&PROTOCOL=1&LANG=en&APP_SID=588b8a98e848778a4ffb38fbcf70f2b9";

    private static readonly byte[] Body = System.Text.Encoding.ASCII.GetBytes(
        "AUTH_ID=4172bb6600705a0700005a4b00000001f0f107c42ca5bd5f61030c5d9c3e4d60d11b5a&AUTH_EXPIRES=3600&REFRESH_ID=31f1e26600705a0700005a4b00000001f0f107b1918506d8a2ed9ecf76e8fdac962471"
        + "&SERVER_ENDPOINT=https%3A%2F%2Foauth.bitrix.info%2Frest%2F&APPLICATION_TOKEN=ec1b2074a9d3f5c81b6e40d27a95cf38&APPLICATION_SCOPE=placement%2Cpull&member_id=da45a03b265edd8787f8a258d793cc5d"
        + "&status=L&PLACEMENT=PAGE_BACKGROUND_WORKER&PLACEMENT_OPTIONS=%7B%22ID%22%3A%22PAGE_BACKGROUND_WORKER%22%2C%22URI%22%3A%22%5C%2Fcompany%5C%2Fpersonal%5C%2Fuser%5C%2F1%5C%2Fblog%5C%2F%22%7D");

    private static readonly PlacementExpectation Expected = new(PlacementCatalogue.BackgroundWorker);

    [Benchmark]
    public int Form()
    {
        using var form = WireForm.Parse(Query, new System.Buffers.ReadOnlySequence<byte>(Body));
        return form.Count;
    }

    [Benchmark]
    public object? FormAndPost()
    {
        using var form = WireForm.Parse(Query, new System.Buffers.ReadOnlySequence<byte>(Body));
        return PlacementParser.Parse(form, Expected).Value;
    }
}
