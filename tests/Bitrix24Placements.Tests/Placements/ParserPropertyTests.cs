using System.Buffers;
using System.Text;
using Bitrix24Placements.Forms;
using Bitrix24Placements.Placements;
using CsCheck;

namespace Bitrix24Placements.Tests.Placements;

/// <summary>Whatever is sent, the parser answers; and what a browser encodes, it reads back.</summary>
public sealed class ParserPropertyTests
{
    private static readonly string[] Names =
    [
        "DOMAIN", "PROTOCOL", "LANG", "APP_SID", "AUTH_ID", "AUTH_EXPIRES", "REFRESH_ID", "SERVER_ENDPOINT", "APPLICATION_TOKEN", "member_id", "status", "PLACEMENT", "PLACEMENT_OPTIONS", "", "x",
    ];

    private static readonly PlacementExpectation[] Expectations =
    [
        new(PlacementCatalogue.RestAppUri), new(PlacementCatalogue.BackgroundWorker), new(PlacementCatalogue.RestAppUri, PlacementCatalogue.BackgroundWorker),
        new(PlacementCatalogue.Default), new("CRM_DEAL_DETAIL_TAB"),
    ];

    private static readonly Gen<string> Pieces = Gen.OneOf(OneOf("&", "=", "%", "+", "%2", "%FF", "%00", "[", "]", "{\"a\":", "}", "\\u", "\\ud800", "\""), Gen.String, OneOf(Names));

    [Fact]
    public void Arbitrary_bytes_never_make_it_throw() =>
        Gen.Select(Gen.String, Gen.Byte.Array[0, 400]).Sample((query, body) => ParseAll(query, body), iter: 20_000);

    [Fact]
    public void Nearly_right_forms_never_make_it_throw() =>
        Gen.Select(Pieces.Array[0, 30], Pieces.Array[0, 60]).Sample((query, body) => ParseAll(string.Concat(query), Encoding.UTF8.GetBytes(string.Concat(body))), iter: 20_000);

    [Fact]
    public void Arbitrary_values_of_known_fields_never_make_it_throw() =>
        Gen.Select(OneOf(Names), Gen.OneOf(Gen.String, Pieces.Array[0, 12].Select(string.Concat))).Array[0, 20].Sample(
            fields => ParseAll("", Encoding.UTF8.GetBytes(string.Join('&', fields.Select(f => f.Item1 + "=" + Uri.EscapeDataString(Unpaired(f.Item2)))))),
            iter: 20_000);

    [Fact]
    public void Encoded_forms_are_read_back() =>
        Gen.Select(Gen.String.Where(s => s.Length > 0).Select(Unpaired), Gen.String.Select(Unpaired)).Array[0, 40].Sample(
            fields =>
            {
                using var encoded = new FormUrlEncodedContent(fields.Select(f => KeyValuePair.Create(f.Item1, f.Item2)));
                var body = encoded.ReadAsStringAsync().GetAwaiter().GetResult();
                foreach (var (query, rest) in new[] { ("?" + body, ""), ("", body) })
                {
                    using var form = WireForm.Parse(query, rest);
                    foreach (var last in fields.GroupBy(f => f.Item1).Select(g => g.Last()))
                        Assert.Equal(last.Item2, form.Text(Encoding.UTF8.GetBytes(last.Item1)));
                    Assert.Equal(fields.Length, form.Count);
                }
            },
            iter: 3_000);

    [Fact]
    public void A_body_in_pieces_is_the_same_form() =>
        Gen.Select(Gen.Byte.Array[1, 200], Gen.Int[0, 199]).Sample(
            (bytes, at) =>
            {
                at = Math.Min(at, bytes.Length);
                var first = new Segment(bytes.AsMemory(0, at), 0);
                var last = first.Then(bytes.AsMemory(at));
                using var whole = WireForm.Parse("", new ReadOnlySequence<byte>(bytes));
                using var pieces = WireForm.Parse("", new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length));
                Assert.Equal(whole.Count, pieces.Count);
                foreach (var name in Names)
                    Assert.Equal(whole.Text(Encoding.UTF8.GetBytes(name)), pieces.Text(Encoding.UTF8.GetBytes(name)));
            },
            iter: 5_000);

    private static Gen<string> OneOf(params string[] choices) => Gen.Int[0, choices.Length - 1].Select(i => choices[i]);

    private static void ParseAll(string query, byte[] body)
    {
        using var form = WireForm.Parse(query, new ReadOnlySequence<byte>(body));
        foreach (var expected in Expectations)
        {
            var (post, rejection) = PlacementParser.Parse(form, expected);
            Assert.True(post is null == rejection?.Errors is { Count: > 0 });
            if (post is null)
                continue;
            Assert.Contains(post.Placement, expected.Placements);
            Assert.Equal(32, post.MemberId.Length);
            Assert.True(Uri.TryCreate(post.Origin, UriKind.Absolute, out _), post.Origin);
        }
    }

    /// <summary>What UTF-8 makes of halves of surrogate pairs.</summary>
    private static string Unpaired(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, long index) => (Memory, RunningIndex) = (memory, index);

        public Segment Then(ReadOnlyMemory<byte> memory)
        {
            var next = new Segment(memory, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }
}
