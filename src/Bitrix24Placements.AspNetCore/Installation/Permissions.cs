using Bitrix24Placements.Placements;
using Bitrix24Placements.Rest;

namespace Bitrix24Placements.Installation;

/// <summary>What an administrator ticks in the app's form (scopes).</summary>
/// <remarks>https://apidocs.bitrix24.com/api-reference/scopes/permissions.html</remarks>
internal sealed class Permissions(PlacementCatalogue catalogue, EventBindings bindings, IOptions<Bitrix24Options> options)
{
    private static readonly string[] OfEveryApp = ["placement", "pull"];

    /// <summary>By the beginning of a placement's or event's name; of methods <c>Bitrix24:Scopes</c> tells.</summary>
    private static readonly (string Prefix, string Scope)[] OfNames =
    [
        ("CRM_", "crm"), ("ONCRM", "crm"), ("TASK_", "task"), ("ONTASK", "task"), ("CALL_CARD", "telephony"), ("ONVOXIMPLANT", "telephony"),
    ];

    public IEnumerable<string> Needed =>
        OfEveryApp.Concat(
                from name in catalogue.Codes.Concat(bindings.Names)
                from known in OfNames
                where name.StartsWith(known.Prefix, StringComparison.Ordinal)
                select known.Scope)
            .Union(options.Value.Scopes);
}
