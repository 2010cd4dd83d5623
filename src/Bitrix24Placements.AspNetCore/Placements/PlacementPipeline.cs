using System.Diagnostics;
using Bitrix24Placements.Forms;
using Bitrix24Placements.Pages;
using Bitrix24Placements.Refusals;

namespace Bitrix24Placements.Placements;

/// <summary>The way of every launch: read, parse, verify, then either its context as JSON or the handler of its placement.</summary>
internal sealed class PlacementPipeline(
    LaunchVerifier verifier, PlacementHandlers handlers, UnverifiedAttempts attempts, Places places, RejectionWriter rejections, WorkerPage workerPage, PageFrame pages, WorkerLoads loads, PlacementMetrics metrics)
{
    public static readonly PlacementExpectation RestAppUri = new(PlacementCatalogue.RestAppUri);
    public static readonly PlacementExpectation BackgroundWorker = new(PlacementCatalogue.BackgroundWorker);
    public static readonly PlacementExpectation Either = new(PlacementCatalogue.RestAppUri, PlacementCatalogue.BackgroundWorker);
    public static readonly PlacementExpectation AppPage = new(PlacementCatalogue.Default);

    public async Task ServeAsync(HttpContext context, PlacementExpectation expected)
    {
        var started = Stopwatch.GetTimestamp();
        var (post, rejection, language) = await ReadAsync(context, expected);
        Believed? believed = null;
        var isWorker = post?.Placement == PlacementCatalogue.BackgroundWorker;
        using var place = post is null ? default : places.TryTake(isWorker ? Room.Workers : Room.Pages, context, post.MemberId);
        if (post is not null && !place.IsTaken)
        {
            rejection = Rejection.Overloaded;
        }
        else if (post is not null)
        {
            (believed, rejection) = isWorker
                ? await verifier.VerifyWorkerAsync(context, post)
                : await verifier.VerifyPersonAsync(context, post);
        }

        if (post is null || believed is null)
            await RejectAsync(context, rejection!, post, language);
        else
            await AnswerAsync(context, post, believed);

        var took = Stopwatch.GetElapsedTime(started);
        metrics.Served(post?.Placement ?? expected.Placements[0], rejection?.Code ?? "ok", took);
        if (believed?.Portal is { } portal && isWorker)
            loads.Record(portal.Id, took);
    }

    private static async ValueTask<(PlacementPost? Post, Rejection? Rejection, string Language)> ReadAsync(HttpContext context, PlacementExpectation expected)
    {
        var (form, rejection) = await FormBody.ReadAsync(context);
        if (form is null)
            return (null, rejection, Texts.Fallback);
        using (form)
        {
            var parsed = PlacementParser.Parse(form, expected);
            return parsed.Post is { } post
                ? (post, null, post.Language)
                : (null, Rejection.Malformed(parsed.Errors!), form.Text("LANG"u8) ?? Texts.Fallback);
        }
    }

    private Task RejectAsync(HttpContext context, Rejection rejection, PlacementPost? post, string language)
    {
        if (rejection.IsFailedAttempt)
            attempts.Failed(context, post?.Placement == PlacementCatalogue.BackgroundWorker ? AttemptKind.Worker : AttemptKind.Person, post?.MemberId ?? "");
        return rejections.WriteAsync(context, rejection, language);
    }

    private Task AnswerAsync(HttpContext context, PlacementPost post, Believed believed)
    {
        var request = RequestOf(post, believed);
        if (request is not AppPageRequest && Accepts.JsonOnly(context.Request))
            return WriteContextAsync(context, request);
        var response = context.Response.Headers;
        response.ContentSecurityPolicy = request is BackgroundWorkerRequest ? workerPage.PolicyFor(request) : pages.FramePolicy(request.Portal.Origin);
        return handlers.HandleAsync(context, request);
    }

    private static async Task WriteContextAsync(HttpContext context, PlacementRequest request)
    {
        var json = LaunchContextJson.Write(request);
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = json.Length;
        context.Response.Headers.CacheControl = "no-store";
        await context.Response.BodyWriter.WriteAsync(json, context.RequestAborted);
    }

    private static PlacementRequest RequestOf(PlacementPost post, Believed believed)
    {
        var known = believed.Portal;
        var address = known is null ? new PortalAddress(new(post.MemberId), post.Domain, post.IsHttps ? "https" : "http") : known.Address;
        return post.Placement switch
        {
            PlacementCatalogue.RestAppUri => new RestAppUriRequest(post, believed, address) { Options = RestAppUriOptions.Read(post.Options) },
            PlacementCatalogue.BackgroundWorker => new BackgroundWorkerRequest(post, believed, address) { Options = BackgroundWorkerOptions.Read(post.Options) },
            _ => new AppPageRequest(post, believed, address) { Parameters = AppPageRequest.Read(post.Options) },
        };
    }
}
