using Bitrix24Placements.Apps;
using Bitrix24Placements.Rest;
using Microsoft.Extensions.Options;

namespace Bitrix24Placements.Doctor.Checks;

/// <summary>Without an address and keys there is nothing to register.</summary>
internal sealed class SettingsCheck(IOptions<Bitrix24Options> options, AppRegistry apps) : ICheck
{
    public const string Name = "settings";

    public string Id => Name;

    public Task<IReadOnlyList<Finding>> RunAsync(Examination examination, CancellationToken cancellationToken)
    {
        var findings = new List<Finding>();
        if (options.Value.PublicUrl is null)
            findings.Add(new("publicUrl.missing", "Bitrix24:PublicUrl"));
        if (!apps.HasAny)
            findings.Add(new("keys.missing", "Bitrix24:ClientId, Bitrix24:ClientSecret"));
        return Task.FromResult<IReadOnlyList<Finding>>(findings);
    }
}
