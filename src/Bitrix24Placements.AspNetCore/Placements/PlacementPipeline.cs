using System.Diagnostics;
using Bitrix24Placements.Forms;
using Bitrix24Placements.Refusals;

namespace Bitrix24Placements.Placements;

/// <summary>The way of every launch: read, parse, verify, then either its context as JSON or the handler of its placement.</summary>
internal sealed class PlacementPipeline(
    LaunchVerifier verifier, PlacementCatalogue catalogue, LaunchServices services, ILaunchListener listener, UnverifiedAttempts attempts,
    Places places,
    RejectionWriter rejections, WorkerPage workerPage, PageFrame pages, WorkerLoads loads, PlacementMetrics metrics)
{
    public static readonly PlacementExpectation AppPage = new(PlacementCatalogue.Default);

    public async Task ServeAsync(HttpContext context, PlacementExpectation expected)
    {
        var (form, rejection) = await FormBody.ReadAsync(context);
        // How slowly a body comes says nothing of the service.
        var started = Stopwatch.GetTimestamp();
        if (form is null)
        {
            await RefuseAsync(context, expected, started, null, rejection ?? Rejection.NotAForm, Texts.Fallback);
            return;
        }

        using (form)
        {
            if (expected.Placements is [PlacementCatalogue.Default] && !form.HasTooManyFields && form.TryGet("event"u8, out _))
            {
                await listener.HearEventAsync(context, form);
                return;
            }

            var (post, errors) = PlacementParser.Parse(form, expected);
            if (post is null)
            {
                var malformed = Rejection.Malformed(errors ?? new Dictionary<string, string>());
                await RefuseAsync(context, expected, started, null, malformed, form.Text("LANG"u8) ?? Texts.Fallback);
                return;
            }

            await ServeAsync(context, expected, started, post);
        }
    }

    private async Task ServeAsync(HttpContext context, PlacementExpectation expected, long started, PlacementPost post)
    {
        var isWorker = post.Placement == PlacementCatalogue.BackgroundWorker;
        using var place = places.TryTake(isWorker ? Room.Workers : Room.Pages, context, post.MemberId);
        Checked<Believed> believed = !place.IsTaken ? Rejection.Overloaded
            : isWorker ? await verifier.VerifyWorkerAsync(context, post)
            : await verifier.VerifyPersonAsync(context, post);
        if (!believed.Ok)
        {
            await RefuseAsync(context, expected, started, post, believed.Rejection, post.Language);
            return;
        }

        var mapped = catalogue.Find(post.Placement);
        var request = mapped.Read(new(post, believed.Value, services));
        if (!request.Ok)
        {
            await RefuseAsync(context, expected, started, post, request.Rejection, post.Language);
            return;
        }

        // Slow readers are not counted as slowness of the service: the clock stops when the answer begins.
        context.Response.OnStarting(
            static state => ((LoadClock)state).StopAsync(), new LoadClock(this, post.Placement, believed.Value.Portal?.Id, started));
        await AnswerAsync(context, mapped, request.Value);
    }

    private Task RefuseAsync(
        HttpContext context, PlacementExpectation expected, long started, PlacementPost? post, Rejection rejection, string language)
    {
        var placement = post?.Placement ?? expected.Placements[0];
        if (rejection.IsFailedAttempt)
            attempts.Failed(
                context, placement == PlacementCatalogue.BackgroundWorker ? AttemptKind.Worker : AttemptKind.Person, post?.MemberId ?? "");
        metrics.Served(placement, rejection.Code, Stopwatch.GetElapsedTime(started));
        return rejections.WriteAsync(context, rejection, language);
    }

    private Task AnswerAsync(HttpContext context, MappedPlacement mapped, PlacementRequest request)
    {
        // The built-in app page has more to say as JSON than its launch.
        if (Accepts.JsonOnly(context.Request) && !(mapped.IsBuiltIn && mapped.Code == PlacementCatalogue.Default))
            return WriteContextAsync(context, request);
        var headers = context.Response.Headers;
        if (mapped.Code == PlacementCatalogue.BackgroundWorker)
        {
            headers.ContentSecurityPolicy = workerPage.PolicyFor(request);
        }
        else
        {
            headers.ContentSecurityPolicy = pages.FramePolicy(request.Portal.Origin);
            // A person's page, and mostly with his session in it.
            headers.CacheControl = "no-store";
        }

        return mapped.Handler(context, request);
    }

    private static async Task WriteContextAsync(HttpContext context, PlacementRequest request)
    {
        byte[] json = [.. LaunchContextJson.Write(request), (byte)'\n'];
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = json.Length;
        context.Response.Headers.CacheControl = "no-store";
        await context.Response.BodyWriter.WriteAsync(json, context.RequestAborted);
    }

    private void Served(string placement, PortalId? portal, TimeSpan took)
    {
        metrics.Served(placement, "ok", took, portal);
        if (portal is { } id && placement == PlacementCatalogue.BackgroundWorker)
            loads.Record(id, took);
    }

    private sealed class LoadClock(PlacementPipeline pipeline, string placement, PortalId? portal, long started)
    {
        public Task StopAsync()
        {
            pipeline.Served(placement, portal, Stopwatch.GetElapsedTime(started));
            return Task.CompletedTask;
        }
    }
}
