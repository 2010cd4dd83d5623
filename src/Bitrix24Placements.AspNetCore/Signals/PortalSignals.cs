using Bitrix24Placements.Rest;

namespace Bitrix24Placements;

/// <summary>Signals from a backend to the pages of a portal's users, through Push &amp; Pull.</summary>
/// <remarks>https://apidocs.bitrix24.com/settings/interactivity/index.html. A signal carries no authority: any user of the app can make
/// one, so pages fetch facts with their session.</remarks>
public sealed class PortalSignals(RestClient rest)
{
    public const int MaxUsers = 1000;

    /// <summary>Letters, digits and <c>_ : | . -</c>, at most 100.</summary>
    public static bool IsCommand(string? command) =>
        command is { Length: > 0 and <= 100 }
            && command.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or ':' or '|' or '.' or '-');

    /// <summary>Sends a signal. Bitrix24 has accepted it where the result is ok; a signal whose outcome is unknown is not
    /// repeated.</summary>
    /// <param name="id">The portal.</param>
    /// <param name="command">See <see cref="IsCommand"/>; <c>openApplication</c> opens the app's slider with <paramref
    /// name="parameters"/> as its options.</param>
    /// <param name="parameters">Sent as they are.</param>
    /// <param name="userIds">To whom; null: to every user. An empty list is refused, never everyone.</param>
    /// <exception cref="ArgumentException">The command or the list of users is not one.</exception>
    public async Task<RestResult<bool>> SendAsync(PortalId id, string command, JsonObject? parameters = null,
        IReadOnlyList<long>? userIds = null, CancellationToken cancellationToken = default)
    {
        if (!IsCommand(command))
            throw new ArgumentException("A command has 1 to 100 letters, digits and _ : | . -", nameof(command));
        if (userIds is { Count: 0 or > MaxUsers })
            throw new ArgumentException($"1 to {MaxUsers} users, or null for everyone.", nameof(userIds));
        var call = new JsonObject
        {
            ["COMMAND"] = command,
            ["PARAMS"] = parameters?.DeepClone() ?? new JsonObject(),
            ["MODULE_ID"] = "application",
        };
        if (userIds is not null)
            call["USER_ID"] = new JsonArray([.. userIds.Select(id => JsonValue.Create(id))]);
        var add = new RestCall("pull.application.event.add", call) { Repeat = Repeat.Never, MaxAnswerBytes = AnswerReader.SmallBytes };
        var result = await rest.CallAsync(id, add, cancellationToken);
        return result.Ok ? true : result.Error;
    }
}
