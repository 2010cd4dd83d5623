using System.Text.Json.Nodes;

namespace Bitrix24Placements.PortalSimulator;

/// <summary>A small company's CRM and tasks: there from the start, for the browser, <c>crm.*</c> and <c>tasks.task.*</c>.</summary>
public sealed class SimRecords
{
    internal SimRecords()
    {
        Contacts.Add(new() { ["NAME"] = "Dana", ["LAST_NAME"] = "Client", ["PHONE"] = Phone("+1 900 123-45-67") }, 123);
        Contacts.Add(new() { ["NAME"] = "Erik", ["LAST_NAME"] = "Buyer", ["PHONE"] = Phone("+49 30 1234567") }, 124);
        Companies.Add(new() { ["TITLE"] = "Client & Sons" }, 7);
        Leads.Add(new() { ["TITLE"] = "A question from the web site", ["STATUS_ID"] = "NEW", ["ASSIGNED_BY_ID"] = "3" }, 9);
        Deals.Add(Deal("Deal 5", "NEW", "1500.00", "123"), 5);
        Deals.Add(Deal("Deal 6", "PREPARATION", "320.50", "124"), 6);
        Deals.Add(Deal("Deal 7", "WON", "9900.00", "123"), 7);
        Tasks.Add(new() { ["title"] = "Call Dana", ["status"] = "2", ["responsibleId"] = "2", ["createdBy"] = "1" }, 11);
        Tasks.Add(new() { ["title"] = "Send the contract", ["status"] = "3", ["responsibleId"] = "3", ["createdBy"] = "1" }, 12);
        Entities = new Dictionary<string, SimTable>(StringComparer.OrdinalIgnoreCase)
        {
            ["deal"] = Deals,
            ["lead"] = Leads,
            ["contact"] = Contacts,
            ["company"] = Companies,
        };
    }

    public SimTable Deals { get; } = new("ID");

    public SimTable Leads { get; } = new("ID");

    public SimTable Contacts { get; } = new("ID");

    public SimTable Companies { get; } = new("ID");

    /// <summary>Of the timelines of all records: <c>ENTITY_TYPE</c>, <c>ENTITY_ID</c>, <c>COMMENT</c>, <c>AUTHOR_ID</c>.</summary>
    public SimTable TimelineComments { get; } = new("ID");

    /// <summary>Their fields are in camel case, as in <c>tasks.task.*</c>.</summary>
    public SimTable Tasks { get; } = new("id");

    internal IReadOnlyDictionary<string, SimTable> Entities { get; }

    private static JsonObject Deal(string title, string stage, string amount, string contact) => new()
    {
        ["TITLE"] = title,
        ["STAGE_ID"] = stage,
        ["OPPORTUNITY"] = amount,
        ["CURRENCY_ID"] = "EUR",
        ["CONTACT_ID"] = contact,
        ["ASSIGNED_BY_ID"] = "2",
    };

    private static JsonArray Phone(string number) => [new JsonObject { ["VALUE"] = number, ["VALUE_TYPE"] = "WORK" }];
}
