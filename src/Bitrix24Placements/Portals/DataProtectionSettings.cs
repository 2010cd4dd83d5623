namespace Bitrix24Placements.Portals;

/// <summary>Section <c>DataProtection</c>.</summary>
public sealed class DataProtectionSettings
{
    public const string Section = "DataProtection";

    /// <summary>A PFX file that protects the keys which encrypt tokens; required with PostgreSQL.</summary>
    public string? CertificatePath { get; set; }

    public string? CertificatePassword { get; set; }

    /// <summary>Earlier certificates, so that what they protected can be read: paths, or sections with <c>Path</c> and <c>Password</c>.</summary>
    public List<CertificateFile> PreviousCertificates { get; } = [];

    public void Read(IConfigurationSection section)
    {
        CertificatePath = Text(section[nameof(CertificatePath)]);
        CertificatePassword = Text(section[nameof(CertificatePassword)]);
        PreviousCertificates.Clear();
        foreach (var entry in section.GetSection(nameof(PreviousCertificates)).GetChildren())
        {
            var path = Text(entry.Value) ?? Text(entry["Path"]) ?? Text(entry[nameof(CertificatePath)]);
            if (path is not null)
                PreviousCertificates.Add(new(path, Text(entry["Password"]) ?? Text(entry[nameof(CertificatePassword)]) ?? CertificatePassword));
        }
    }

    private static string? Text(string? value) => string.IsNullOrWhiteSpace(value) ? null : value;
}

public sealed record CertificateFile(string Path, string? Password)
{
    /// <summary>Never the password.</summary>
    public override string ToString() => Path;
}
