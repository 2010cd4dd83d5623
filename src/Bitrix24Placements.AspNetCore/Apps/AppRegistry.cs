using Microsoft.Extensions.Options;

namespace Bitrix24Placements.Apps;

/// <summary>The apps that this service is, by name and by client_id.</summary>
internal sealed class AppRegistry(IOptions<AppsOptions> options)
{
    public IReadOnlyList<RegisteredApp> All => options.Value.Apps;

    /// <summary>Without any app's keys nothing can be confirmed or registered.</summary>
    public bool HasAny => All.Count > 0;

    public RegisteredApp? Find(string name) => All.FirstOrDefault(a => a.Name == name);

    public RegisteredApp? FindByClientId(string clientId) => All.FirstOrDefault(a => a.ClientId == clientId);
}
