using System.Collections.Concurrent;
using System.Net.WebSockets;
using System.Text.Json.Nodes;

namespace Bitrix24Placements.PortalSimulator;

/// <param name="UserIds">Null: every user.</param>
public sealed record PushMessage(string ModuleId, string Command, JsonNode Params, IReadOnlyList<int>? UserIds);

/// <summary>The portal's Push &amp; Pull: a socket per frame, every frame of an addressed user gets a message.</summary>
public sealed class PushServer
{
    internal const string Path = "/pull/subws/";

    private readonly SimPortal _portal;
    private readonly ConcurrentDictionary<int, string> _channels = new();
    private readonly ConcurrentDictionary<Subscriber, byte> _subscribers = new();

    internal PushServer(SimPortal portal) => _portal = portal;

    /// <summary>What was accepted for delivery, heard or not.</summary>
    public Journal<PushMessage> Messages { get; } = new();

    /// <summary>How many frames of that user listen now.</summary>
    public int Connections(int userId) => _subscribers.Keys.Count(subscriber => subscriber.UserId == userId);

    /// <summary>Cuts every connection, as a restart of the push server does.</summary>
    public void DisconnectAll()
    {
        foreach (var subscriber in _subscribers.Keys)
            subscriber.Socket.Abort();
    }

    /// <summary>Tells the portals of one push server apart.</summary>
    internal string ClientId { get; } = Secrets.New(32);

    internal string SharedChannel => ChannelOf(0);

    internal string ChannelOf(int userId) => _channels.GetOrAdd(userId, _ => _portal.Bitrix.Secrets.NewKnown(32));

    internal void Publish(PushMessage message)
    {
        Messages.Add(message);
        var addressed = _subscribers.Keys.Where(subscriber => message.UserIds?.Contains(subscriber.UserId) ?? true).ToList();
        var detail = new JsonObject { ["params"] = message.Params.DeepClone() };
        _portal.Bitrix.Log.Add("pull", _portal.Name, "browser", $"{message.Command} → {addressed.Count} frame(s)", detail);
        var now = _portal.Bitrix.Time.GetUtcNow();
        var body = new JsonObject
        {
            ["module_id"] = message.ModuleId,
            ["command"] = message.Command,
            ["params"] = message.Params.DeepClone(),
            ["extra"] = new JsonObject
            {
                ["server_time"] = now.ToString("o"),
                ["server_time_unix"] = now.ToUnixTimeMilliseconds() / 1000d,
            },
        };
        var id = Secrets.New(32);
        var (text, binary) = (PushFrame.Text(id, body), PushFrame.Binary(id, body, now));
        foreach (var subscriber in addressed)
            _ = subscriber.SendAsync(subscriber.Binary ? binary : text, _portal.Bitrix.Stopping);
    }

    internal async Task HandleAsync(HttpContext context, CancellationToken cancellationToken)
    {
        var query = context.Request.Query;
        var channels = query["CHANNEL_ID"].ToString().Split('/');
        var userId = query["clientId"] == ClientId
            ? _channels.FirstOrDefault(pair => pair.Key != 0 && channels.Contains(pair.Value)).Key
            : 0;
        var (time, fault) = (_portal.Bitrix.Time, _portal.Bitrix.Faults.Take("pull:connect", _portal));
        var refusal = await Faults.ApplyAsync(fault, () => Task.FromResult(Refuse(userId, context)), time, cancellationToken);
        if (refusal is null) context.Abort();
        else if (refusal.Status != 200) await refusal.WriteAsync(context.Response, cancellationToken);
        else await ServeAsync(userId, context, cancellationToken);
    }

    private static Answer Refuse(int userId, HttpContext context) =>
        Answer.Text("", userId == 0 ? 403 : context.WebSockets.IsWebSocketRequest ? 200 : 400);

    private async Task ServeAsync(int userId, HttpContext context, CancellationToken cancellationToken)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        var subscriber = new Subscriber(userId, socket, context.Request.Query["binaryMode"] == "true");
        _subscribers.TryAdd(subscriber, 0);
        _portal.Bitrix.Log.Add("pull", "browser", _portal.Name, $"{_portal.User(userId).Name} listens");
        try
        {
            await ReadToEndAsync(socket, cancellationToken);
        }
        catch (WebSocketException)
        {
            // A closed tab does not say goodbye.
        }
        finally
        {
            _subscribers.TryRemove(subscriber, out _);
        }
    }

    private static async Task ReadToEndAsync(WebSocket socket, CancellationToken cancellationToken)
    {
        var buffer = new byte[1024];
        while (socket.State == WebSocketState.Open)
        {
            var received = await socket.ReceiveAsync(buffer, cancellationToken);
            if (received.MessageType != WebSocketMessageType.Close) continue;
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, cancellationToken);
            return;
        }
    }

    private sealed class Subscriber(int userId, WebSocket socket, bool binary)
    {
        private readonly Lock _gate = new();
        private Task _last = Task.CompletedTask;

        public int UserId => userId;

        public WebSocket Socket => socket;

        public bool Binary => binary;

        // A socket takes one message at a time: each waits for the one before it.
        public Task SendAsync(PushFrame frame, CancellationToken cancellationToken)
        {
            lock (_gate) return _last = SendAfterAsync(_last, frame, cancellationToken);
        }

        private async Task SendAfterAsync(Task before, PushFrame frame, CancellationToken cancellationToken)
        {
            await before;
            try
            {
                await socket.SendAsync(frame.Content, frame.Type, endOfMessage: true, cancellationToken);
            }
            catch (Exception gone) when (gone is
                WebSocketException or ObjectDisposedException or OperationCanceledException or InvalidOperationException)
            {
                // Nobody is there any more; a push server does not mind.
            }
        }
    }
}
