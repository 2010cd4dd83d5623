using Bitrix24Placements.Pages;
using Bitrix24Placements.Placements;
using Bitrix24Placements.Refusals;

namespace Bitrix24Placements.Installation;

/// <summary>The wizard's page piece by piece, or one piece of JSON.</summary>
internal sealed class InstallAnswer(InstallPage page, HttpContext context, PlacementPost post, Uri endpoint) : IAsyncDisposable
{
    private readonly bool _asJson = Accepts.JsonOnly(context.Request);
    private bool _finished;

    public Task BeginAsync()
    {
        if (_asJson)
            return Task.CompletedTask;
        context.Response.ContentType = Markup.ContentType;
        context.Response.Headers.ContentSecurityPolicy = page.PolicyFor(endpoint);
        context.Response.Headers.CacheControl = "no-store";
        // A proxy that gathers the answer would hide the progress.
        context.Response.Headers["X-Accel-Buffering"] = "no";
        return WriteAsync(page.Beginning(context, post.Language));
    }

    public Task ProgressAsync(PlacementOutcome outcome) =>
        _asJson ? Task.CompletedTask : WriteAsync(page.Step(outcome, post.Language));

    /// <param name="unknownClientId">Of an app that nobody has added yet: its installation is kept.</param>
    public async Task FinishAsync(Reconciliation reconciliation, string? unknownClientId = null)
    {
        var eventsError = reconciliation.Placements.All(static p => p.IsRegistered) ? reconciliation.EventsError : null;
        if (_asJson)
        {
            var domain = endpoint.IsDefaultPort ? endpoint.IdnHost : $"{endpoint.IdnHost}:{endpoint.Port}";
            await context.Response.WriteJsonAsync(new InstallationOutcome(
                new(post.MemberId, domain), reconciliation.Finished, StoredPlacement.From(reconciliation.Placements), eventsError?.Code,
                reconciliation.KeysAreWrong ? "invalid_client" : null).Serialize());
            return;
        }

        if (eventsError is not null)
            await WriteAsync(page.EventsFailed(eventsError, post.Language));
        if (unknownClientId is not null)
            await WriteAsync(page.UnknownApp(unknownClientId, post.Language));
        if (!reconciliation.Finished)
            await WriteAsync(page.MissingKey(post.Language));
        if (reconciliation.KeysAreWrong)
            await WriteAsync(page.WrongKeys(reconciliation.App, post.Language));
        _finished = true;
        await WriteAsync(reconciliation.Finished ? page.Finished(post.Language) : page.NotFinished(context, post.Language));
    }

    /// <summary>The installation goes on where the browser has gone away.</summary>
    private async Task WriteAsync(Markup html)
    {
        try
        {
            await context.Response.BodyWriter.WriteAsync(Encoding.UTF8.GetBytes(html.Value), context.RequestAborted);
        }
        catch (OperationCanceledException)
        {
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_asJson && !_finished)
            await WriteAsync(page.NotFinished(context, post.Language));
    }
}
