using System.Diagnostics;
using System.Net.Http.Headers;

namespace Bitrix24Placements.PortalSimulator;

public sealed partial class SimPortal
{
    /// <summary>Submits a launch form as the browser would.</summary>
    public Task<HttpResponseMessage> SendAsync(LaunchForm form, string accept = "text/html", CancellationToken cancellationToken = default) =>
        SendAsync(form.Action, form.Body, accept, cancellationToken);

    public async Task<HttpResponseMessage> SendAsync(
        Uri url, IEnumerable<KeyValuePair<string, string>> fields, string accept = "text/html", CancellationToken cancellationToken = default)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = new FormUrlEncodedContent(fields) };
        request.Headers.Accept.Add(MediaTypeWithQualityHeaderValue.Parse(accept));
        return await Bitrix.Http.SendAsync(request, cancellationToken);
    }

    private async Task<IReadOnlyList<Delivery>> PostAllAsync(
        IReadOnlyList<string> urls, Dictionary<string, string> fields, string what, CancellationToken cancellationToken)
    {
        var deliveries = new List<Delivery>();
        foreach (var url in urls)
            deliveries.Add(await PostAsync(url, fields, what, cancellationToken));
        return deliveries;
    }

    private async Task<Delivery> PostAsync(string url, Dictionary<string, string> fields, string what, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        Delivery delivery;
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = new FormUrlEncodedContent(fields) };
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
        Bitrix.Log.Add("event", Name, "service", $"{what} → {url}", SimLog.Details(SimLog.Details(fields), delivery.Body), delivery.Status, Stopwatch.GetElapsedTime(started));
        return delivery;
    }
}
