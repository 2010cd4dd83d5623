using System.IO.Compression;
using System.Text;

namespace Bitrix24Placements.PortalSimulator;

/// <summary>An answer that is small on the wire and large in memory.</summary>
internal static class Bomb
{
    private const int Megabyte = 1024 * 1024;

    public static Answer Of(int megabytes)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            gzip.Write("""{"result":{"ID":"1","ADMIN":true,"NAME":"Alice","MORE":["""u8);
            var zeros = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("0,", Megabyte / 2)));
            for (var i = 0; i < megabytes; i++)
                gzip.Write(zeros);
            gzip.Write("0]}}"u8);
        }
        return new Answer(200, Answer.JsonType, packed.ToArray()).With("Content-Encoding", "gzip");
    }
}
