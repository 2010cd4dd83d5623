using System.Diagnostics;
using System.Net.Http.Headers;

namespace Bitrix24Placements.PortalSimulator;

public sealed partial class SimPortal
{
    /// <summary>Submits a launch form as the browser would.</summary>
    public Task<HttpResponseMessage> SendAsync(
        LaunchForm form, string accept = "text/html", CancellationToken cancellationToken = default) =>
        SendAsync(form.Action, form.Body, accept, cancellationToken);

    /// <summary>Posts fields that a test has made itself.</summary>
    public async Task<HttpResponseMessage> SendAsync(
        Uri url,
        IEnumerable<KeyValuePair<string, string>> fields,
        string accept = "text/html",
        CancellationToken cancellationToken = default)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = new FormUrlEncodedContent(fields) };
        request.Headers.Accept.Add(MediaTypeWithQualityHeaderValue.Parse(accept));
        return await Bitrix.Http.SendAsync(request, cancellationToken);
    }

    private async Task<IReadOnlyList<Delivery>> PostAllAsync(
        IReadOnlyList<BoundEvent> handlers, Dictionary<string, string> fields, string what, CancellationToken cancellationToken)
    {
        var deliveries = new List<Delivery>();
        foreach (var bound in handlers)
        {
            var own = new Dictionary<string, string>(fields) { ["event_handler_id"] = Text(bound.Id) };
            deliveries.Add(await PostAsync(bound.Handler, own, what, cancellationToken));
        }
        return deliveries;
    }

    private Task<Delivery> PostAsync(string url, Dictionary<string, string> fields, string what, CancellationToken cancellationToken) =>
        AskAsync(HttpMethod.Post, url, fields, what, cancellationToken);

    private async Task<Delivery> AskAsync(
        HttpMethod method, string url, Dictionary<string, string>? fields, string what, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        Delivery delivery;
        try
        {
            using var request = new HttpRequestMessage(method, url);
            if (fields is not null) request.Content = new FormUrlEncodedContent(fields);
            request.Headers.UserAgent.ParseAdd("Bitrix24-Webhook-Engine");
            using var response = await Bitrix.Http.SendAsync(request, cancellationToken);
            delivery = new Delivery(url, (int)response.StatusCode, await response.Content.ReadAsStringAsync(cancellationToken));
        }
        catch (HttpRequestException refused)
        {
            delivery = new Delivery(url, null, refused.Message);
        }
        catch (TaskCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            delivery = new Delivery(url, null, "No answer in time.");
        }
        var detail = SimLog.Details(SimLog.Details(fields ?? []), delivery.Body);
        Bitrix.Log.Add("event", Name, "service", $"{what} → {url}", detail, delivery.Status, Stopwatch.GetElapsedTime(started));
        return delivery;
    }
}
