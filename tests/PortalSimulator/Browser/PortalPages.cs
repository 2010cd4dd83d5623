using System.Diagnostics;
using Microsoft.AspNetCore.StaticFiles;

namespace Bitrix24Placements.PortalSimulator;

/// <summary>The portal as a person sees it, and the vendor's browser libraries. All of it is embedded.</summary>
internal sealed class PortalPages(SimPortal portal)
{
    private static readonly FileExtensionContentTypeProvider Types = new();
    private static readonly string[] Pages = ["/stream", "/crm", "/tasks", "/company", "/marketplace", "/workgroups", "/calendar", "/devops"];

    private readonly EmbeddedFiles _files = new();

    public async Task HandleAsync(HttpContext context, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        var path = context.Request.Path.Value ?? "/";
        var fault = portal.Bitrix.Faults.Take($"page:{path}", portal);
        var answer = await Faults.ApplyAsync(fault, () => FindAsync(path, cancellationToken), portal.Bitrix.Time, cancellationToken);
        if (answer is null || answer.ContentType.StartsWith("text/html", StringComparison.Ordinal) || IsVendorScript(path))
        {
            var what = $"{context.Request.Method} {path}";
            portal.Bitrix.Log.Add("page", "browser", portal.Name, what, null, answer?.Status, Stopwatch.GetElapsedTime(started));
        }
        if (answer is null) context.Abort();
        else await answer.WriteAsync(context.Response, cancellationToken);
    }

    private static bool IsVendorScript(string path) => path.StartsWith("/api/v1", StringComparison.Ordinal);

    private async Task<Answer> FindAsync(string path, CancellationToken cancellationToken)
    {
        if (IsVendorScript(path))
        {
            await Task.Delay(portal.Quirks.VendorScriptDelay, portal.Bitrix.Time, cancellationToken);
            return (await VendorScriptAsync(path.TrimEnd('/'), cancellationToken)).With("Access-Control-Allow-Origin", "*");
        }
        var shell = path == "/" || Pages.Any(page => path == page || path.StartsWith(page + "/", StringComparison.Ordinal));
        return Embedded(shell ? "index.html" : path.TrimStart('/')).With("Cache-Control", "no-cache");
    }

    private async Task<Answer> VendorScriptAsync(string path, CancellationToken cancellationToken)
    {
        var options = portal.Bitrix.Options;
        return path switch
        {
            "/api/v1" => await ScriptAsync(options.ScriptFile, "api/bx24.js", cancellationToken),
            "/api/v1/pull" => await ScriptAsync(options.PullScriptFile, "api/pull.js", cancellationToken),
            _ => Answer.Text("Not found", 404),
        };
    }

    private async Task<Answer> ScriptAsync(string? file, string own, CancellationToken cancellationToken) => file is null
        ? Embedded(own)
        : new Answer(200, "text/javascript; charset=utf-8", await File.ReadAllBytesAsync(file, cancellationToken));

    private Answer Embedded(string name)
    {
        if (_files.Read(name) is not { } content) return Answer.Text("Not found", 404);
        var known = Types.TryGetContentType(name, out var type);
        return new Answer(200, known ? WithCharset(type!) : "application/octet-stream", content);
    }

    private static string WithCharset(string type) => type.StartsWith("text/", StringComparison.Ordinal) ? $"{type}; charset=utf-8" : type;
}
