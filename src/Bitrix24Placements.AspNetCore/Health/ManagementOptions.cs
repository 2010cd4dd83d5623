using System.Net;
using Bitrix24Placements.Settings;

namespace Bitrix24Placements.Health;

internal sealed class ManagementOptions : ISettings
{
    public static string Section => "Management";

    /// <summary>A second port for metrics, and for the counts in <c>/health/ready</c>; null: none.</summary>
    public int? Port { get; set; }

    /// <summary>An IP address, or <c>*</c> for all of them.</summary>
    public string Address { get; set; } = "127.0.0.1";

    /// <summary>Whatever the Host header says.</summary>
    public bool IsAskedBy(HttpContext context) => Port is { } port && context.Connection.LocalPort == port;

    public void Read(IConfigurationSection section)
    {
        Port = section.Text(nameof(Port)) is null ? null : section.Whole(nameof(Port), 0);
        Address = section.Text(nameof(Address)) ?? Address;
    }

    public string? Problem() =>
        Port is not (null or (> 0 and < 65536)) ? "Management:Port has to be a port between 1 and 65535."
        : Address != "*" && !IPAddress.TryParse(Address, out _)
            ? "Management:Address has to be an IP address, or * for all of this machine's."
        : null;
}
