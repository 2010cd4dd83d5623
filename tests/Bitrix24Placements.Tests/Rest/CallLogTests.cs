using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Bitrix24Placements.PortalSimulator;
using Bitrix24Placements.Rest;
using Bitrix24Placements.Tests.Harness;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Bitrix24Placements.Tests.Rest;

public sealed class CallLogTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_call_is_one_line_with_names_and_sizes_and_without_a_value()
    {
        using var lines = new Lines();
        await using var service = await Service.StartAsync(RestTest.Unlimited, services: s => s.AddSingleton<ILoggerProvider>(lines));
        await service.InstallAsync();
        lines.All.Clear();
        service.Bitrix.Faults.Next("rest:user.update", Fault.Error("ACCESS_DENIED", 403));

        await service.Get<RestClient>().CallAsync(service.Portal.Id, new RestCall("user.update", new JsonObject { ["ID"] = 7, ["NAME"] = "Alice Example" }), Token);
        await service.CallAsync("placement.list");

        var (refused, ok) = lines.All.ToArray() is [var first, var second] ? (first, second) : throw new InvalidOperationException(string.Join('\n', lines.All.Select(static l => l.Text)));
        Assert.Equal((service.Portal.MemberId, "default", "user.update", "ACCESS_DENIED", "ID,NAME"),
            (refused["MemberId"], refused["App"], refused["Method"], refused["Outcome"], refused["ParameterNames"]));
        Assert.Equal(("placement.list", "ok", ""), (ok["Method"], ok["Outcome"], ok["ParameterNames"]));
        Assert.All([refused, ok], static line =>
        {
            Assert.Equal(LogLevel.Information, line.Level);
            Assert.InRange((int)line["RequestBytes"]!, 20, 500);
            Assert.InRange((int)line["ResponseBytes"]!, 20, 5000);
            Assert.InRange((long)line["DurationMs"]!, 0, 20_000);
        });
        var tokens = (await service.StoredAsync()).Tokens!;
        Assert.All(lines.All, line => Assert.DoesNotContain("Alice", line.Text, StringComparison.Ordinal));
        Assert.All(lines.All, line => Assert.DoesNotContain(tokens.Access.Reveal(), line.Text, StringComparison.Ordinal));
    }

    private sealed record Line(LogLevel Level, string Text, IReadOnlyDictionary<string, object?> Values)
    {
        public object? this[string name] => Values[name];
    }

    /// <summary>What is logged in the category of calls.</summary>
    private sealed class Lines : ILoggerProvider
    {
        public ConcurrentQueue<Line> All { get; } = new();

        public ILogger CreateLogger(string categoryName) => categoryName == CallLog.Category
            ? new Logger(All) : Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance;

        public void Dispose()
        {
        }

        private sealed class Logger(ConcurrentQueue<Line> lines) : ILogger
        {
            public IDisposable? BeginScope<TState>(TState state)
                where TState : notnull => null;

            public bool IsEnabled(LogLevel logLevel) => true;

            public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
                lines.Enqueue(new(logLevel, formatter(state, exception), ((IEnumerable<KeyValuePair<string, object?>>)state!).ToDictionary()));
        }
    }
}
