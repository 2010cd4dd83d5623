using System.Globalization;
using System.Text.Json.Nodes;

namespace Bitrix24Placements.PortalSimulator;

/// <summary><c>crm.{deal,lead,contact,company}.{get,list,add,update,delete}</c> and the timeline's comments.</summary>
internal static class RecordMethods
{
    private const int PageSize = 50;

    public static IEnumerable<(string Method, Func<RestRequest, RestReply> Run)> All()
    {
        foreach (var entity in new[] { "deal", "lead", "contact", "company" })
        {
            yield return ($"crm.{entity}.get", request => Get(request, Table(request, entity)));
            yield return ($"crm.{entity}.list", request => List(request, Table(request, entity)));
            yield return ($"crm.{entity}.add", request => Add(request, entity));
            yield return ($"crm.{entity}.update", request =>
                Change(request, entity, "UPDATE", (all, id) => all.Update(id, Fields(request))));
            yield return ($"crm.{entity}.delete", request => Change(request, entity, "DELETE", (all, id) => all.Remove(id)));
        }
        yield return ("crm.timeline.comment.add", AddComment);
        yield return ("crm.timeline.comment.list", request => List(request, request.Portal.Records.TimelineComments));
        yield return ("tasks.task.get", request => Find(request, request.Portal.Records.Tasks, "taskId") is { } task
            ? RestReply.Ok(new JsonObject { ["task"] = task })
            : NotFound());
        yield return ("tasks.task.list", ListTasks);
        yield return ("tasks.task.add", AddTask);
    }

    private static SimTable Table(RestRequest request, string entity) => request.Portal.Records.Entities[entity];

    private static RestReply Get(RestRequest request, SimTable table) =>
        Find(request, table, "id") is { } row ? RestReply.Ok(row) : NotFound();

    private static JsonObject? Find(RestRequest request, SimTable table, string name) => table.Find(Number(request.Text(name)));

    private static RestReply List(RestRequest request, SimTable table)
    {
        var (page, total) = Page(request, table);
        return RestReply.Page(page, total, Number(request.Text("start")) + PageSize);
    }

    private static (JsonArray Page, int Total) Page(RestRequest request, SimTable table)
    {
        var found = table.All.Where(row => Fits(row, request.Parameters.Find("filter") as JsonObject ?? [])).ToList();
        var selected = Values(request.Parameters.Find("select")).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var page = found.Skip(Number(request.Text("start"))).Take(PageSize).Select(row => Selected(row, selected));
        return (new JsonArray([.. page]), found.Count);
    }

    private static RestReply Add(RestRequest request, string entity)
    {
        if (request.Parameters.Find("fields") is not JsonObject) return RestReply.Missing("fields", 400);
        var id = Table(request, entity).Add(Fields(request));
        Tell(request, entity, "ADD", id);
        return RestReply.Ok(id);
    }

    private static RestReply Change(RestRequest request, string entity, string what, Func<SimTable, int, bool> change)
    {
        var id = Number(request.Text("id"));
        if (!change(Table(request, entity), id)) return NotFound();
        Tell(request, entity, what, id);
        return RestReply.Ok(true);
    }

    private static RestReply AddComment(RestRequest request)
    {
        var fields = Fields(request);
        if (string.IsNullOrEmpty(fields.FindText("COMMENT"))) return RestReply.Missing("COMMENT", 400);
        var type = fields.FindText("ENTITY_TYPE") ?? "";
        if (!request.Portal.Records.Entities.TryGetValue(type, out var table) || table.Find(Number(fields.FindText("ENTITY_ID"))) is null)
            return NotFound();
        fields["AUTHOR_ID"] = request.User.Id.ToString(CultureInfo.InvariantCulture);
        fields["CREATED"] = request.Portal.Bitrix.Time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:sszzz", CultureInfo.InvariantCulture);
        var id = request.Portal.Records.TimelineComments.Add(fields);
        request.Portal.Tell("ONCRMTIMELINECOMMENTADD", new JsonObject { ["FIELDS"] = new JsonObject { ["ID"] = id } }, request.User.Id);
        return RestReply.Ok(id);
    }

    private static RestReply ListTasks(RestRequest request)
    {
        var (page, total) = Page(request, request.Portal.Records.Tasks);
        return RestReply.Page(new JsonObject { ["tasks"] = page }, total, Number(request.Text("start")) + PageSize);
    }

    private static RestReply AddTask(RestRequest request)
    {
        // Written in upper case, read in camel case: the vendor's way.
        var fields = new JsonObject(Fields(request).Select(field => KeyValuePair.Create(Camel(field.Key), field.Value?.DeepClone())));
        fields.TryAdd("createdBy", request.User.Id.ToString(CultureInfo.InvariantCulture));
        var id = request.Portal.Records.Tasks.Add(fields);
        request.Portal.Tell("ONTASKADD", new JsonObject { ["FIELDS_AFTER"] = new JsonObject { ["ID"] = id } }, request.User.Id);
        return RestReply.Ok(new JsonObject { ["task"] = request.Portal.Records.Tasks.Find(id) });
    }

    private static void Tell(RestRequest request, string entity, string what, int id)
    {
        var data = new JsonObject { ["FIELDS"] = new JsonObject { ["ID"] = id } };
        request.Portal.Tell($"ONCRM{entity.ToUpperInvariant()}{what}", data, request.User.Id);
    }

    private static JsonObject Fields(RestRequest request) =>
        (JsonObject?)(request.Parameters.Find("fields") as JsonObject)?.DeepClone() ?? [];

    // Equality, and % for "contains"; other operators of Bitrix24 are taken for equality, too.
    private static bool Fits(JsonObject row, JsonObject filter) => filter.All(wanted =>
    {
        var value = row.FindText(wanted.Key.TrimStart('=', '%', '@', '!', '>', '<')) ?? "";
        return wanted.Key.StartsWith('%')
            ? value.Contains(PhpForm.Text(wanted.Value) ?? "", StringComparison.OrdinalIgnoreCase)
            : Values(wanted.Value).Contains(value) != wanted.Key.StartsWith('!');
    });

    private static JsonObject Selected(JsonObject row, HashSet<string> names)
    {
        if (names.Count == 0 || names.Contains("*")) return row;
        return new JsonObject(row.Where(field => names.Contains(field.Key) || field.Key is "ID" or "id")
            .Select(field => KeyValuePair.Create(field.Key, field.Value?.DeepClone())));
    }

    // A scalar, a list, or a map as forms write it.
    private static IEnumerable<string> Values(JsonNode? node) => node switch
    {
        JsonArray list => list.Select(PhpForm.Text).OfType<string>(),
        JsonObject map => map.Select(pair => PhpForm.Text(pair.Value)).OfType<string>(),
        _ => PhpForm.Text(node) is { } text ? [text] : [],
    };

    private static string Camel(string name)
    {
        var words = name.ToLowerInvariant().Split('_');
        return words[0] + string.Concat(words[1..].Select(word => word.Length == 0 ? "" : char.ToUpperInvariant(word[0]) + word[1..]));
    }

    private static RestReply NotFound() => RestReply.Error("ERROR_NOT_FOUND", "Not found", 400);

    private static int Number(string? text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;
}
