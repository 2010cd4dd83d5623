using System.Buffers.Binary;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;

namespace Bitrix24Placements.PortalSimulator;

/// <summary>A message as it travels: protobuf to a client that asked for <c>binaryMode</c>, as the vendor's does; text to others.</summary>
internal sealed class PushFrame
{
    private static readonly byte[] FromBackend = [0x08, 2];

    private PushFrame(WebSocketMessageType type, byte[] content) => (Type, Content) = (type, content);

    public WebSocketMessageType Type { get; }

    public byte[] Content { get; }

    public static PushFrame Text(string id, JsonObject body)
    {
        var message = new JsonObject { ["mid"] = id, ["text"] = body.DeepClone() };
        return new(WebSocketMessageType.Text, Encoding.UTF8.GetBytes($"#!NGINXNMS!#{message.ToJsonString()}#!NGINXNME!#"));
    }

    /// <summary>ResponseBatch { responses { outgoingMessages { messages { id, body, created, sender } } } }</summary>
    public static PushFrame Binary(string id, JsonObject body, DateTimeOffset created)
    {
        var seconds = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(seconds, (uint)created.ToUnixTimeSeconds());
        byte[] message =
        [
            .. Field(1, Convert.FromHexString(id)),
            .. Field(2, Encoding.UTF8.GetBytes(body.ToJsonString())),
            (4 << 3) | 5, .. seconds,
            .. Field(5, FromBackend),
        ];
        return new(WebSocketMessageType.Binary, Field(1, Field(1, Field(1, message))));
    }

    private static byte[] Field(int number, byte[] content) => [(byte)((number << 3) | 2), .. Varint(content.Length), .. content];

    private static IEnumerable<byte> Varint(int value)
    {
        for (; value > 0x7f; value >>= 7)
            yield return (byte)(value | 0x80);
        yield return (byte)value;
    }
}
