using System.Collections.Concurrent;

namespace Bitrix24Placements.BrowserTests.Harness;

/// <summary>What browsers complained about: violated policies, uncaught errors, errors on the console. A test that expects one says so.</summary>
public sealed class Complaints(Func<Uri> service)
{
    private const string Violation = "securitypolicyviolation:";

    // The event is told where it happens; the console's own wording differs between versions and may be missing.
    private const string Script = $"addEventListener('securitypolicyviolation', e => console.error('{Violation}', e.effectiveDirective, e.blockedURI, 'in', e.documentURI));";

    private readonly ConcurrentQueue<string> _heard = new();
    private readonly List<Predicate<string>> _expected = [];

    public Task ListenAsync(IBrowserContext context)
    {
        context.Console += (_, message) => Hear(message);
        context.WebError += (_, error) => _heard.Enqueue($"uncaught: {error.Error}");
        return context.AddInitScriptAsync(Script);
    }

    public void Expect(Predicate<string> expected) => _expected.Add(expected);

    public IReadOnlyList<string> Unexpected => [.. _heard.Where(text => !_expected.Exists(expected => expected(text)))];

    public IReadOnlyList<string> Expected => [.. _heard.Where(text => _expected.Exists(expected => expected(text)))];

    private void Hear(IConsoleMessage message)
    {
        var violation = message.Text.Contains("Content Security Policy", StringComparison.OrdinalIgnoreCase) || message.Text.StartsWith(Violation, StringComparison.Ordinal);
        if (violation || (message.Type == "error" && message.Location.StartsWith(service().AbsoluteUri, StringComparison.Ordinal)))
            _heard.Enqueue($"{message.Type}: {message.Text} ({message.Location})");
    }
}
