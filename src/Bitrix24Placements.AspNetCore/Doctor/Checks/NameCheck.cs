using System.Net;
using System.Net.Sockets;
using Bitrix24Placements.Rest;

namespace Bitrix24Placements.Doctor.Checks;

internal sealed class NameCheck(IOptions<Bitrix24Options> options) : Check(Name, SettingsCheck.Name)
{
    public const string Name = "name";

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(4);

    public override async Task<IReadOnlyList<Finding>> RunAsync(Examination examination, CancellationToken cancellationToken)
    {
        var host = new Uri(options.Value.PublicUrl ?? "").IdnHost;
        try
        {
            var addresses = await Dns.GetHostAddressesAsync(host, cancellationToken).WaitAsync(Timeout, cancellationToken);
            return !options.Value.AllowInsecureHttp && addresses.All(SpecialAddresses.Contains)
                ? Finding.One("name.internal", $"{host}: {string.Join(", ", addresses.AsEnumerable())}")
                : Finding.None;
        }
        catch (Exception e) when (e is SocketException or TimeoutException)
        {
            return Finding.One("name.unresolvable", $"{host}: {e.Message}");
        }
    }
}
