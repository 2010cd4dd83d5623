using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.RegularExpressions;

namespace Bitrix24Placements.PortalSimulator;

/// <summary>Knows every secret the simulator has given out, so that none is ever shown whole.</summary>
internal sealed partial class Secrets
{
    private readonly ConcurrentDictionary<string, byte> _words = new();
    private readonly ConcurrentDictionary<string, byte> _others = new();

    public static string New(int length) => RandomNumberGenerator.GetHexString(length, lowercase: true);

    public string NewKnown(int length)
    {
        var secret = New(length);
        _words.TryAdd(secret, 0);
        return secret;
    }

    public void Learn(string? secret)
    {
        if (string.IsNullOrEmpty(secret)) return;
        (Word().Match(secret).Length == secret.Length ? _words : _others).TryAdd(secret, 0);
    }

    public string Mask(string text)
    {
        text = Word().Replace(text, match => _words.ContainsKey(match.Value) ? Short(match.Value) : match.Value);
        text = RemovalKey().Replace(text, match => match.Groups[1].Value + Short(match.Groups[2].Value));
        foreach (var secret in _others.Keys)
            text = text.Replace(secret, Short(secret), StringComparison.Ordinal);
        return text;
    }

    private static string Short(string secret) => secret[..Math.Min(6, secret.Length)] + "…";

    [GeneratedRegex("[0-9A-Za-z]{24,}")]
    private static partial Regex Word();

    // The service's own secret: the simulator learns it only as a part of errorHandlerUrl.
    [GeneratedRegex(@"(/removed/)([^/?\s""\\]+)")]
    private static partial Regex RemovalKey();
}
