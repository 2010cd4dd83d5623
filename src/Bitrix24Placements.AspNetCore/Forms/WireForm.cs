using System.Buffers;
using System.Collections.Frozen;

namespace Bitrix24Placements.Forms;

/// <summary>Query and body of a request as one set of fields, decoded in a pooled buffer, as PHP's <c>$_REQUEST</c> sees them: the body
/// wins, and the last of a repeated name.</summary>
/// <remarks>Pure: knows of no HTTP. Fields are looked up by comparing bytes, so no input can make a hash table slow.</remarks>
internal sealed class WireForm : IDisposable
{
    public const int MaxFields = 256;

    private static readonly SearchValues<byte> Encoded = SearchValues.Create("%+"u8);

    private Field[] _fields = ArrayPool<Field>.Shared.Rent(MaxFields);
    private byte[] _buffer;
    private int _used;
    private int _queryFields;

    private readonly record struct Field(int Name, int NameLength, int Value, int ValueLength);

    private WireForm(int capacity) => _buffer = ArrayPool<byte>.Shared.Rent(capacity);

    /// <summary>The surplus was not read.</summary>
    public bool HasTooManyFields { get; private set; }

    public int Count { get; private set; }

    public static WireForm Parse(string? query, ReadOnlySequence<byte> body)
    {
        var text = query.AsSpan().TrimStart('?');
        var form = new WireForm(Encoding.UTF8.GetMaxByteCount(text.Length) + checked((int)body.Length));
        var length = Encoding.UTF8.GetBytes(text, form._buffer);
        form.Read(0, length);
        form._queryFields = form.Count;
        body.CopyTo(form._buffer.AsSpan(length));
        form._used = length + (int)body.Length;
        form.Read(length, form._used);
        return form;
    }

    public static WireForm Parse(string? query, string body) => Parse(query, new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes(body)));

    public bool TryGet(ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        for (var i = Count - 1; i >= 0; i--)
        {
            var field = _fields[i];
            if (NameOf(field).SequenceEqual(name))
            {
                value = ValueOf(field);
                return true;
            }
        }

        value = default;
        return false;
    }

    /// <summary>Empty where there is none.</summary>
    public ReadOnlySpan<byte> Bytes(ReadOnlySpan<byte> name) => TryGet(name, out var value) ? value : default;

    /// <param name="maxBytes">What is over is cut off.</param>
    public string? Text(ReadOnlySpan<byte> name, int maxBytes = int.MaxValue) =>
        TryGet(name, out var value) ? Encoding.UTF8.GetString(value[..Math.Min(value.Length, maxBytes)]) : null;

    /// <summary>Repeated ones too.</summary>
    public IEnumerable<(string Name, string Value)> All()
    {
        for (var i = 0; i < Count; i++)
            yield return (Encoding.UTF8.GetString(NameOf(_fields[i])), Encoding.UTF8.GetString(ValueOf(_fields[i])));
    }

    public IReadOnlyDictionary<string, string> QueryWithout(Func<ReadOnlySpan<byte>, bool> excluded)
    {
        Dictionary<string, string>? rest = null;
        foreach (var field in _fields.AsSpan(0, _queryFields))
        {
            if (!excluded(NameOf(field)))
                (rest ??= [])[Encoding.UTF8.GetString(NameOf(field))] = Encoding.UTF8.GetString(ValueOf(field));
        }

        return rest is null ? FrozenDictionary<string, string>.Empty : rest;
    }

    private ReadOnlySpan<byte> NameOf(Field field) => _buffer.AsSpan(field.Name, field.NameLength);

    private ReadOnlySpan<byte> ValueOf(Field field) => _buffer.AsSpan(field.Value, field.ValueLength);

    private void Read(int start, int end)
    {
        foreach (var piece in _buffer.AsSpan(start, end - start).Split((byte)'&'))
        {
            var (at, length) = piece.GetOffsetAndLength(end - start);
            if (length == 0)
                continue;
            HasTooManyFields = Count == MaxFields;
            if (HasTooManyFields)
                return;
            var pair = _buffer.AsSpan(start + at, length);
            var equals = pair.IndexOf((byte)'=');
            var nameLength = Decode(equals < 0 ? pair : pair[..equals]);
            var valueLength = equals < 0 ? 0 : Decode(pair[(equals + 1)..]);
            _fields[Count++] = new(start + at, nameLength, start + at + equals + 1, valueLength);
        }
    }

    /// <summary>In place: decoded text is never longer. A lone percent sign stays what it is, as in PHP.</summary>
    private static int Decode(Span<byte> text)
    {
        var read = text.IndexOfAny(Encoded);
        if (read < 0)
            return text.Length;
        var written = read;
        while (read < text.Length)
        {
            var b = text[read++];
            if (b == (byte)'+')
            {
                b = (byte)' ';
            }
            else if (b == (byte)'%' && read + 1 < text.Length
                && byte.TryParse(text.Slice(read, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var decoded))
            {
                b = decoded;
                read += 2;
            }

            text[written++] = b;
        }

        return written;
    }

    public void Dispose()
    {
        if (_buffer.Length == 0)
            return;
        // The buffer held tokens: the next renter does not get them.
        _buffer.AsSpan(0, _used).Clear();
        ArrayPool<byte>.Shared.Return(_buffer);
        ArrayPool<Field>.Shared.Return(_fields);
        (_buffer, _fields, Count) = ([], [], 0);
    }
}
