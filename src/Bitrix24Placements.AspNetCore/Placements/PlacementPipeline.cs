using System.Diagnostics;
using Bitrix24Placements.Forms;
using Bitrix24Placements.Inspector;
using Bitrix24Placements.Pages;
using Bitrix24Placements.Refusals;

namespace Bitrix24Placements.Placements;

/// <summary>Read, parse, verify, then either the context as JSON or the handler of the placement.</summary>
internal sealed class PlacementPipeline(
    LaunchVerifier verifier, PlacementCatalogue catalogue, LaunchServices services, ILaunchListener listener, Places places, Guard guard,
    RejectionWriter rejections, WorkerPage workerPage, PageFrame pages, WorkerLoads loads, PlacementMetrics metrics)
{
    private static readonly Rejection TooLargeToTell = new(413, "contextTooLarge");

    public async Task ServeAsync(HttpContext context, PlacementExpectation expected)
    {
        var body = await FormBody.ReadAsync(context);
        // How slowly a body comes says nothing of the service.
        var started = Stopwatch.GetTimestamp();
        Checked<PlacementPost> parsed;
        string language;
        // Not kept while somebody is asked.
        using (var form = body.Value)
        {
            if (form is not null && expected.Placements is [PlacementCatalogue.Default] && form.TryGet("event"u8, out _))
            {
                await listener.HearEventAsync(context, form);
                return;
            }

            parsed = body.Ok ? PlacementParser.Parse(body.Value, expected) : body.Rejection;
            language = parsed.Value?.Language ?? form?.Text("LANG"u8) ?? Texts.Fallback;
        }

        var placement = parsed.Value?.Placement ?? expected.Placements[0];
        var kind = placement == PlacementCatalogue.BackgroundWorker ? RequestKind.Worker : RequestKind.Person;
        using var place = parsed.Ok ? places.TryTake(verifier.PlacesOf(parsed.Value), context, parsed.Value.MemberId) : Place.None;
        var request = !parsed.Ok ? parsed.Rejection : !place.IsTaken ? Rejection.Overloaded : await VerifyAsync(context, parsed.Value);
        if (request.Ok)
        {
            StopTheClockWhenTheAnswerBegins(context, request.Value, started);
            await AnswerAsync(context, request.Value);
            return;
        }

        metrics.Served(placement, request.Rejection.Code, Stopwatch.GetElapsedTime(started));
        await guard.RefuseAsync(context, kind, parsed.Value?.MemberId ?? "", request.Rejection, language);
    }

    private async ValueTask<Checked<PlacementRequest>> VerifyAsync(HttpContext context, PlacementPost post)
    {
        var believed = post.Placement == PlacementCatalogue.BackgroundWorker
            ? await verifier.VerifyWorkerAsync(context, post) : await verifier.VerifyPersonAsync(context, post);
        if (!believed.Ok)
            return believed.Rejection;
        context.Features.Get<Decision>()?.Text = believed.Value.Explain();
        return catalogue.Find(post.Placement).Read(new(post, believed.Value, services));
    }

    /// <summary>Slow readers are no slowness of the service.</summary>
    private void StopTheClockWhenTheAnswerBegins(HttpContext context, PlacementRequest request, long started) =>
        context.Response.OnStarting(() =>
        {
            var took = Stopwatch.GetElapsedTime(started);
            metrics.Served(request.Placement, "ok", took, request.Known?.Id);
            if (request is { Placement: PlacementCatalogue.BackgroundWorker, Known: { } portal })
                loads.Record(portal.Id, took);
            return Task.CompletedTask;
        });

    private Task AnswerAsync(HttpContext context, PlacementRequest request)
    {
        var mapped = catalogue.Find(request.Placement);
        // The built-in app page has more to say as JSON than its launch.
        if (Accepts.JsonOnly(context.Request) && !(mapped.IsBuiltIn && mapped.Code == PlacementCatalogue.Default))
            return LaunchContextJson.Write(request) is { } json
                ? context.Response.WriteJsonAsync(json) : rejections.WriteAsync(context, TooLargeToTell, request.Language);
        var headers = context.Response.Headers;
        if (mapped.Code == PlacementCatalogue.BackgroundWorker)
        {
            headers.ContentSecurityPolicy = workerPage.PolicyFor(request);
        }
        else
        {
            headers.ContentSecurityPolicy = pages.FramePolicy(request.Portal.Origin);
            // Mostly with his session in it.
            headers.CacheControl = "no-store";
        }

        return mapped.Handler(context, request);
    }
}
