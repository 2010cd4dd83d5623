namespace Bitrix24Placements.Refusals;

/// <summary>The server keeps the address as several strings, and the headers, as long as the connection has no other request.</summary>
internal static class RequestHead
{
    private const int BytesOfCharacter = 2, CopiesOfAddress = 2;

    public static long BytesOf(HttpRequest request)
    {
        var characters = CopiesOfAddress * ((request.Path.Value ?? "").Length + (request.QueryString.Value ?? "").Length);
        foreach (var header in request.Headers)
            characters += header.Value.ToString().Length;
        return BytesOfCharacter * (long)characters;
    }
}
