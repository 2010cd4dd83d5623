using Bitrix24Placements.Rest;

namespace Bitrix24Placements.Doctor.Checks;

/// <summary>Without an address there is nothing to register.</summary>
internal sealed class SettingsCheck(IOptions<Bitrix24Options> options) : Check(Name)
{
    public const string Name = "settings";

    public override Task<IReadOnlyList<Finding>> RunAsync(Examination examination, CancellationToken cancellationToken) =>
        Task.FromResult(options.Value.PublicUrl is null ? Finding.One("publicUrl.missing", "Bitrix24:PublicUrl") : Finding.None);
}
