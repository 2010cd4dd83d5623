using Bitrix24Placements.Storage;

namespace Bitrix24Placements.Portals;

internal static class PortalSql
{
    public static Sql Is(PortalId id) => $"member_id = {id.MemberId} AND app = {id.App}";

    /// <summary>Of a row that begins with member_id and app; null where that is no portal.</summary>
    public static PortalId? ReadId(DbDataReader row) =>
        PortalId.IsMemberId(row.GetString(0)) ? new(row.GetString(0), row.GetString(1)) : null;
}
