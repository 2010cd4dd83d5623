using Bitrix24Placements.Forms;
using Bitrix24Placements.Refusals;
using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Events;

/// <summary>Events that came while the database was away, each with all its fields: they are verified when it is back.</summary>
internal sealed partial class EventSpool(Spool spool, EventReceiver receiver, ILogger<EventSpool> logger) : ISpoolHandler
{
    public string Kind => "event";

    /// <summary>False: there is no room.</summary>
    public Task<bool> PutAsync(HttpContext context, WireForm form) =>
        spool.PutAsync(Kind, WireEvent.MemberId(form) ?? "", WireEvent.Text(form), ClientAddress.Of(context), CancellationToken.None);

    public async Task<bool> CarryOverAsync(string key, string payload, CancellationToken cancellationToken)
    {
        using var form = WireForm.Parse(null, payload);
        if (WireEvent.Name(form) is { } name && await receiver.ReceiveAsync(null, name, form, cancellationToken) is { } refused)
        {
            if (refused.Status >= StatusCodes.Status500InternalServerError)
                return false;
            Log.Refused(logger, key, refused.Code);
        }

        return true;
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "An event of portal {MemberId} that came while the database was away was refused: {Code}")]
        public static partial void Refused(ILogger logger, string memberId, string code);
    }
}
