using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Bitrix24Placements.Tests.Harness;

/// <summary>Self-made certificates, as an operator makes one to protect the keys of tokens.</summary>
public static class Certificates
{
    public const string Password = "a password of the operator";

    /// <summary>Writes a PFX file and returns its path.</summary>
    public static string Make(DirectoryInfo folder, string name)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddYears(5));
        var path = Path.Combine(folder.FullName, name + ".pfx");
        File.WriteAllBytes(path, certificate.Export(X509ContentType.Pkcs12, Password));
        return path;
    }

    /// <summary>Settings of a service on PostgreSQL.</summary>
    public static Dictionary<string, string?> Settings(string connectionString, string certificate) => new()
    {
        ["Storage:Provider"] = "PostgreSql",
        ["Storage:ConnectionString"] = connectionString,
        ["DataProtection:CertificatePath"] = certificate,
        ["DataProtection:CertificatePassword"] = Password,
    };
}
