using Bitrix24Placements.Settings;

namespace Bitrix24Placements.Storage;

internal sealed class DataProtectionSettings : ISettings
{
    public static string Section => "DataProtection";

    /// <summary>A PFX file; required with PostgreSQL.</summary>
    public string? CertificatePath { get; set; }

    public string? CertificatePassword { get; set; }

    /// <summary>To read what they protected: paths, or sections with <c>Path</c> and <c>Password</c>.</summary>
    public IReadOnlyList<CertificateFile> PreviousCertificates { get; private set; } = [];

    internal CertificateFile? Own => CertificatePath is { } path ? new(path, CertificatePassword) : null;

    internal IEnumerable<CertificateFile> All => Own is { } own ? PreviousCertificates.Prepend(own) : PreviousCertificates;

    public void Read(IConfigurationSection section)
    {
        CertificatePath = Text(section[nameof(CertificatePath)]);
        CertificatePassword = Text(section[nameof(CertificatePassword)]);
        PreviousCertificates =
        [
            .. from entry in section.GetSection(nameof(PreviousCertificates)).GetChildren()
               let path = Text(entry.Value) ?? Text(entry["Path"]) ?? Text(entry[nameof(CertificatePath)])
               where path is not null
               select new CertificateFile(
                   path, Text(entry["Password"]) ?? Text(entry[nameof(CertificatePassword)]) ?? CertificatePassword),
        ];
    }

    internal string? Problem(StorageOptions storage) => CertificatePath is null && storage.Provider == StorageProvider.PostgreSql
        ? "DataProtection:CertificatePath is required with Storage:Provider=PostgreSql: "
            + "the keys of tokens are kept in the database under this certificate (a PFX file)."
        : All.Select(c => Problem("DataProtection:" + (c == Own ? nameof(CertificatePath) : nameof(PreviousCertificates)), c))
            .FirstOrDefault(p => p is not null);

    private static string? Problem(string key, CertificateFile file)
    {
        try
        {
            using var certificate = TokenKeys.Load(file);
            return certificate.HasPrivateKey ? null : $"{key}: {file.Path} has no private key.";
        }
        catch (Exception e) when (e is System.Security.Cryptography.CryptographicException or IOException or UnauthorizedAccessException)
        {
            return File.Exists(file.Path)
                ? $"{key}: {file.Path} cannot be opened as a PFX file with the given password."
                : $"{key}: there is no file {file.Path}.";
        }
    }

    private static string? Text(string? value) => string.IsNullOrWhiteSpace(value) ? null : value;
}

internal sealed record CertificateFile(string Path, string? Password)
{
    public override string ToString() => Path;
}
