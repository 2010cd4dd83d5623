using System.IO.Compression;
using System.IO.Pipelines;
using System.Text;
using Bitrix24Placements.Rest;
using Bitrix24Placements.Tests.Harness;

namespace Bitrix24Placements.Tests.Rest;

/// <summary>A portal answers what it likes: a few packed kilobytes may be many megabytes.</summary>
public sealed class LargeAnswerTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Fifteen_kilobytes_that_are_sixteen_megabytes_are_not_unpacked_for_a_call_of_the_services_own()
    {
        await using var service = await RestTest.StartAsync();
        await using var bomb = new FixedAnswerHost(Packed(Zeros(16 * 1024 * 1024)), "Content-Encoding: gzip");
        var user = new UserAccess(service.Portal.Id, bomb.Url, new(service.Bitrix.OAuth.Url), 1, new("token"));
        var before = GC.GetTotalAllocatedBytes();

        foreach (var call in new[] { RestCall.Own("profile"), RestCall.Own("placement.get"), new RestCall("crm.deal.get") { MaxAnswerBytes = 100_000 } })
        {
            var result = await service.Get<RestClient>().CallAsUserAsync(user, call with { Repeat = Repeat.Never }, Token);

            Assert.Equal(RestErrorKind.OutcomeUnknown, result.Error!.Kind);
            Assert.Contains("too large", result.Error.Description, StringComparison.Ordinal);
        }

        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 12 * 1024 * 1024);
    }

    [Fact]
    public async Task Nor_is_what_unpacks_to_next_to_nothing_read_without_an_end()
    {
        using var reader = new AnswerReader();
        byte[] blanks = [.. Enumerable.Repeat(Packed(" "u8.ToArray()), 10_000).SelectMany(static one => one)];
        using var answer = new StreamContent(new MemoryStream(blanks)) { Headers = { ContentEncoding = { "gzip" } } };
        answer.Headers.ContentLength = null;

        var refused = await Assert.ThrowsAsync<AnswerTooLargeException>(() => reader.ReadAsync(answer, "server", AnswerReader.SmallBytes, Token));

        Assert.Contains("too large", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_profile_over_64_KB_is_refused_though_it_is_good_and_placements_of_that_size_are_read()
    {
        await using var service = await RestTest.StartAsync();
        var text = new string('x', AnswerReader.SmallBytes);
        await using var host = new FixedAnswerHost(Encoding.ASCII.GetBytes("{\"result\":{\"ID\":\"1\",\"ADMIN\":true,\"x\":\"" + text + "\"}}"));
        var user = new UserAccess(service.Portal.Id, host.Url, new(service.Bitrix.OAuth.Url), 1, new("token"));

        var profile = await service.Get<RestClient>().CallAsUserAsync(user, RestCall.Own("profile") with { Repeat = Repeat.Never }, Token);
        var placements = await service.Get<RestClient>().CallAsUserAsync(user, RestCall.Own("placement.get"), Token);

        Assert.Contains("too large", profile.Error!.Description, StringComparison.Ordinal);
        Assert.Equal(text, placements.Value.Text("x"));
    }

    [Fact]
    public async Task Nor_does_an_OAuth_server_get_more_room()
    {
        await using var service = await RestTest.StartAsync();
        await using var bomb = new FixedAnswerHost(Packed(Zeros(16 * 1024 * 1024)), "Content-Encoding: gzip");

        var confirmation = await service.Get<OAuthClient>().ConfirmAsync(new("token"), bomb.Url, TimeSpan.FromSeconds(10), Token);

        Assert.Equal(TokenVerdict.NoAnswer, confirmation.Verdict);
    }

    [Fact]
    public async Task Small_packed_answers_are_read()
    {
        await using var service = await RestTest.StartAsync();
        await using var host = new FixedAnswerHost(Packed("""{"result":{"ID":"1","ADMIN":true}}"""u8.ToArray()), "Content-Encoding: gzip");
        var user = new UserAccess(service.Portal.Id, host.Url, new(service.Bitrix.OAuth.Url), 1, new("token"));

        var result = await service.Get<RestClient>().CallAsUserAsync(user, RestCall.Own("profile"), Token);

        Assert.True(result.Value.Truth("ADMIN"));
    }

    [Fact]
    public async Task An_answer_that_does_not_tell_its_length_is_bounded_by_a_small_limit_too()
    {
        using var reader = new AnswerReader();
        using var answer = new StreamContent(new MemoryStream(Encoding.ASCII.GetBytes("\"" + new string('x', 1_000) + "\"")));
        answer.Headers.ContentLength = null;

        await Assert.ThrowsAsync<AnswerTooLargeException>(() => reader.ReadAsync(answer, "portal", 1_000, Token));
    }

    [Fact]
    public async Task An_answer_of_millions_of_values_is_too_large_whatever_its_size()
    {
        using var reader = new AnswerReader();

        await Assert.ThrowsAsync<AnswerTooLargeException>(() => reader.ReadAsync(new ByteArrayContent(Zeros(8 * 1024 * 1024)), "portal", AnswerReader.MaxBytes, Token));

        var text = Encoding.ASCII.GetBytes("{\"result\":\"" + new string('x', 8 * 1024 * 1024) + "\"}");
        var (body, bytes) = await reader.ReadAsync(new ByteArrayContent(text), "portal", AnswerReader.MaxBytes, Token);
        Assert.Equal((text.Length, 8 * 1024 * 1024), (bytes, body.Text("result")!.Length));
    }

    [Theory]
    [InlineData(AnswerReader.SmallBytes, AnswerReader.MaxLarge)]
    [InlineData(1024 * 1024, AnswerReader.MaxHuge)]
    [InlineData(4 * 1024 * 1024, 1)]
    public async Task Only_so_many_large_answers_are_read_at_a_time_and_small_ones_wait_for_none(int size, int places)
    {
        using var reader = new AnswerReader();
        var unbounded = new PipeOptions(pauseWriterThreshold: 0);
        var pipes = Enumerable.Range(0, places + 1).Select(_ => new Pipe(unbounded)).ToList();
        var reads = new List<Task<(System.Text.Json.JsonElement Body, int Bytes)>>();
        foreach (var pipe in pipes)
        {
            await pipe.Writer.WriteAsync(Encoding.ASCII.GetBytes("\"" + new string('x', size)), Token);
            reads.Add(reader.ReadAsync(new StreamContent(pipe.Reader.AsStream()), $"portal{reads.Count}", AnswerReader.MaxBytes, Token));
        }

        await EndAsync(pipes[^1]);
        await Task.WhenAny(reads[^1], Task.Delay(200, Token));
        Assert.False(reads[^1].IsCompleted);
        Assert.Equal(2, (await reader.ReadAsync(new ByteArrayContent("[]"u8.ToArray()), "portal", AnswerReader.MaxBytes, Token)).Bytes);
        await EndAsync(pipes[0]);

        Assert.Equal(size + 2, (await reads[^1].WaitAsync(TimeSpan.FromSeconds(10), Token)).Bytes);
        foreach (var pipe in pipes[1..^1])
            await EndAsync(pipe);
        await Task.WhenAll(reads);
    }

    [Fact]
    public async Task A_server_that_dawdles_is_waited_for_by_its_own_answers_alone()
    {
        using var reader = new AnswerReader();
        var text = Encoding.ASCII.GetBytes("\"" + new string('x', AnswerReader.SmallBytes) + "\"");
        var dawdling = new List<Pipe>();
        for (var i = 0; i < AnswerReader.MaxLarge; i++)
        {
            dawdling.Add(new Pipe(new PipeOptions(pauseWriterThreshold: 0)));
            await dawdling[i].Writer.WriteAsync(text.AsMemory(0, text.Length - 1), Token);
        }

        var reads = dawdling.Select(pipe => reader.ReadAsync(new StreamContent(pipe.Reader.AsStream()), "dawdling", AnswerReader.MaxBytes, Token)).ToList();

        var other = reader.ReadAsync(new ByteArrayContent(text), "other", AnswerReader.MaxBytes, Token);
        Assert.Equal(text.Length, (await other.WaitAsync(TimeSpan.FromSeconds(2), Token)).Bytes);
        Assert.DoesNotContain(reads, static r => r.IsCompleted);
        foreach (var pipe in dawdling)
            await EndAsync(pipe);
        await Task.WhenAll(reads);
    }

    [Fact]
    public async Task Huge_answers_that_dawdle_give_way_to_one_that_has_waited_long_for_its_place()
    {
        using var reader = new AnswerReader();
        var text = Encoding.ASCII.GetBytes("\"" + new string('x', 4 * 1024 * 1024) + "\"");
        var dawdling = new List<Task>();
        for (var i = 0; i < 3; i++)
        {
            var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
            await pipe.Writer.WriteAsync(text.AsMemory(0, text.Length - 1), Token);
            dawdling.Add(reader.ReadAsync(new StreamContent(pipe.Reader.AsStream()), $"dawdling{i}", AnswerReader.MaxBytes, Token));
        }

        var other = reader.ReadAsync(new ByteArrayContent(text), "other", AnswerReader.MaxBytes, Token);
        await Task.Delay(TimeSpan.FromSeconds(5.2), Token);
        Assert.False(other.IsCompleted);

        Assert.Equal(text.Length, (await other.WaitAsync(TimeSpan.FromSeconds(3), Token)).Bytes);
        foreach (var given in dawdling)
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => given);
    }

    [Fact]
    public async Task A_huge_answer_that_dawdles_is_read_where_nobody_waits()
    {
        using var reader = new AnswerReader();
        var text = Encoding.ASCII.GetBytes("\"" + new string('x', 1024 * 1024) + "\"");
        var slow = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
        await slow.Writer.WriteAsync(text.AsMemory(0, text.Length - 1), Token);

        var read = reader.ReadAsync(new StreamContent(slow.Reader.AsStream()), "slow", AnswerReader.MaxBytes, Token);
        await Task.Delay(TimeSpan.FromSeconds(4), Token);
        await EndAsync(slow);

        Assert.Equal(text.Length, (await read).Bytes);
    }

    [Fact]
    public async Task A_huge_answer_that_is_only_slow_is_read_though_others_wait()
    {
        using var reader = new AnswerReader();
        var text = Encoding.ASCII.GetBytes("\"" + new string('x', 4 * 1024 * 1024) + "\"");
        var slow = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
        await slow.Writer.WriteAsync(text.AsMemory(0, text.Length - 1), Token);
        var first = reader.ReadAsync(new StreamContent(slow.Reader.AsStream()), "slow", AnswerReader.MaxBytes, Token);

        var second = reader.ReadAsync(new ByteArrayContent(text), "other", AnswerReader.MaxBytes, Token);
        for (var i = 0; i < 12; i++)
        {
            await slow.Writer.WriteAsync(text.AsMemory(1, 256 * 1024), Token);
            await Task.Delay(TimeSpan.FromSeconds(0.5), Token);
        }

        Assert.False(second.IsCompleted);
        await EndAsync(slow);

        Assert.Equal(text.Length + (12 * 256 * 1024), (await first).Bytes);
        Assert.Equal(text.Length, (await second).Bytes);
    }

    [Fact]
    public async Task What_waits_to_become_huge_keeps_none_waiting_that_cannot()
    {
        using var reader = new AnswerReader();
        var text = Encoding.ASCII.GetBytes("\"" + new string('x', 1024 * 1024) + "\"");
        var growing = Enumerable.Range(0, AnswerReader.MaxLarge + 1).Select(_ => new Pipe(new PipeOptions(pauseWriterThreshold: 0))).ToList();
        foreach (var pipe in growing)
            await pipe.Writer.WriteAsync(text.AsMemory(0, text.Length - 1), Token);
        var reads = growing.Select((pipe, i) => reader.ReadAsync(new StreamContent(pipe.Reader.AsStream()), $"portal{i}", AnswerReader.MaxBytes, Token)).ToList();

        var other = reader.ReadAsync(new ByteArrayContent(text[..AnswerReader.SmallBytes]), "other", 1024 * 1024, Token);

        await other.WaitAsync(TimeSpan.FromSeconds(2), Token);
        Assert.DoesNotContain(reads, static r => r.IsCompleted);
        foreach (var pipe in growing)
            await EndAsync(pipe);
        await Task.WhenAll(reads);
    }

    private static async Task EndAsync(Pipe pipe)
    {
        await pipe.Writer.WriteAsync("\""u8.ToArray(), Token);
        await pipe.Writer.CompleteAsync();
    }

    private static byte[] Zeros(int length) => Encoding.ASCII.GetBytes("[" + string.Concat(Enumerable.Repeat("0,", (length / 2) - 1)) + "0]");

    private static byte[] Packed(byte[] content)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.SmallestSize))
            gzip.Write(content);
        return packed.ToArray();
    }
}
