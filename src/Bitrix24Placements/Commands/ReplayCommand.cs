using System.Text;

namespace Bitrix24Placements.Commands;

internal static class ReplayCommand
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    public static async Task<int> RunAsync(FileInfo file, string service)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false }) { Timeout = Timeout };
        try
        {
            if ((await File.ReadAllTextAsync(file.FullName, Encoding.Latin1)).Split('\n', 2) is not [['/', ..] address, var body])
                throw new IOException($"{file} has to hold an address, such as /events, and a form in its second line.");
            if (!Uri.TryCreate(service.TrimEnd('/') + address.TrimEnd('\r'), UriKind.Absolute, out var target))
                throw new IOException("--url takes an address such as http://127.0.0.1:5000.");
            using var form = new ByteArrayContent(Encoding.Latin1.GetBytes(body.TrimEnd('\r', '\n')));
            form.Headers.ContentType = new("application/x-www-form-urlencoded");
            using var answer = await http.PostAsync(target, form);
            Console.WriteLine($"{(int)answer.StatusCode} {answer.ReasonPhrase}");
            Console.WriteLine(await answer.Content.ReadAsStringAsync());
            return answer.IsSuccessStatusCode ? 0 : 1;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or HttpRequestException or TaskCanceledException)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return 1;
        }
    }
}
