using System.Globalization;
using System.Text.Json.Nodes;

namespace Bitrix24Placements.PortalSimulator;

/// <summary>Records of one kind: objects of fields, with a number in <c>ID</c>.</summary>
public sealed class SimTable
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<int, JsonObject> _rows = [];
    private readonly string _id;

    internal SimTable(string id) => _id = id;

    /// <summary>Copies, by number.</summary>
    public IReadOnlyList<JsonObject> All
    {
        get { lock (_gate) return [.. _rows.Values.Select(Copy)]; }
    }

    /// <summary>A copy; null when there is none.</summary>
    public JsonObject? Find(int id)
    {
        lock (_gate) return _rows.TryGetValue(id, out var row) ? Copy(row) : null;
    }

    /// <summary>Adds a record under the next number, or under <paramref name="id"/> in place of what is there.</summary>
    /// <returns>Its number.</returns>
    public int Add(JsonObject fields, int? id = null)
    {
        lock (_gate)
        {
            var number = id ?? (_rows.Count == 0 ? 1 : _rows.Keys.Max() + 1);
            var row = new JsonObject { [_id] = number.ToString(CultureInfo.InvariantCulture) };
            Merge(row, fields);
            _rows[number] = row;
            return number;
        }
    }

    /// <summary>False when there is no such record.</summary>
    public bool Update(int id, JsonObject fields)
    {
        lock (_gate)
        {
            if (!_rows.TryGetValue(id, out var row)) return false;
            Merge(row, fields);
            return true;
        }
    }

    /// <summary>False when there is no such record.</summary>
    public bool Remove(int id)
    {
        lock (_gate) return _rows.Remove(id);
    }

    internal int FirstId
    {
        get { lock (_gate) return _rows.Keys.FirstOrDefault(1); }
    }

    private void Merge(JsonObject row, JsonObject fields)
    {
        foreach (var (name, value) in fields)
        {
            if (name != _id) row[name] = value?.DeepClone();
        }
    }

    private static JsonObject Copy(JsonObject row) => (JsonObject)row.DeepClone();
}
