using System.Collections.Concurrent;

namespace Bitrix24Placements.PortalSimulator;

/// <summary>The embedded wwwroot.</summary>
internal sealed class EmbeddedFiles
{
    private readonly ConcurrentDictionary<string, byte[]?> _read = new(StringComparer.Ordinal);

    public byte[]? Read(string name) => _read.GetOrAdd(name, static name =>
    {
        using var stream = typeof(EmbeddedFiles).Assembly.GetManifestResourceStream($"wwwroot/{name}");
        if (stream is null) return null;
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        return content;
    });
}
