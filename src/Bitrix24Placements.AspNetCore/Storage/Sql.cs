using System.Runtime.CompilerServices;

namespace Bitrix24Placements.Storage;

/// <summary>A statement. What stands in its holes is sent as a parameter; a <see cref="Sql"/> becomes a part of it.</summary>
[InterpolatedStringHandler]
internal readonly struct Sql(int literalLength, int holes)
{
    private readonly List<(string? Text, object? Value)> _parts = new(literalLength > 0 ? (2 * holes) + 1 : holes);

    public static implicit operator Sql(string text)
    {
        var sql = new Sql(text.Length, 0);
        sql.AppendLiteral(text);
        return sql;
    }

    public void AppendLiteral(string text) => _parts.Add((text, null));

    public void AppendFormatted(Sql part) => _parts.AddRange(part._parts);

    /// <summary>A text, too, is a value unless it is declared as <see cref="Sql"/>.</summary>
    public void AppendFormatted(string? value) => AppendFormatted((object?)value);

    public void AppendFormatted(object? value) => _parts.Add((null, value));

    public DbCommand CommandOn(DbConnection connection)
    {
        var command = connection.CreateCommand();
        var text = new StringBuilder();
        foreach (var (literal, value) in _parts)
        {
            if (literal is not null)
            {
                text.Append(literal);
                continue;
            }

            var parameter = command.CreateParameter();
            parameter.ParameterName = $"@p{command.Parameters.Count}";
            parameter.Value = ValueOf(value);
            if (value is null)
                parameter.DbType = System.Data.DbType.String;
            command.Parameters.Add(parameter);
            text.Append(parameter.ParameterName);
        }

        command.CommandText = text.ToString();
        return command;
    }

    // As both databases keep it: states as numbers, spans as milliseconds.
    private static object ValueOf(object? value) => value switch
    {
        null => DBNull.Value,
        bool truth => truth ? 1 : 0,
        Enum state => (int)(object)state,
        TimeSpan span => (long)span.TotalMilliseconds,
        _ => value,
    };
}
