using Bitrix24Placements.Inspector;

namespace Bitrix24Placements.Rest;

/// <summary>A category of its own: the operator says how long such lines are kept.</summary>
/// <remarks>The Market wants three days: https://apidocs.bitrix24.com/market/preparing-to-publish/.</remarks>
internal sealed partial class CallLog(ILoggerFactory loggers, Inspections? inspections = null)
{
    public const string Category = "Bitrix24Placements.Rest.Calls";

    private const int MaxNames = 32;

    private readonly ILogger _logger = loggers.CreateLogger(Category);

    public void Write(PortalId id, RestCall call, string outcome, TimeSpan took, int requestBytes, int responseBytes)
    {
        inspections?.AddCall(id.ToString(), call.Method, call.Parameters, outcome, took);
        if (!_logger.IsEnabled(LogLevel.Information))
            return;
        // Names alone: a value may be a secret of the portal's or the user's.
        var names = string.Join(',', (call.Parameters ?? []).Take(MaxNames).Select(p => RestErrors.Clean(p.Key)));
        Log.Called(
            _logger, id.MemberId, id.App, RestErrors.Clean(call.Method), outcome,
            (long)took.TotalMilliseconds, requestBytes, responseBytes, names);
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information,
            "Portal {MemberId}, app {App}: {Method} gave {Outcome} after {DurationMs} ms, "
            + "{RequestBytes} bytes sent, {ResponseBytes} received, parameters: {ParameterNames}")]
        public static partial void Called(
            ILogger logger, string memberId, string app, string method, string outcome,
            long durationMs, int requestBytes, int responseBytes, string parameterNames);
    }
}
