using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Bitrix24Placements.Commands;

/// <summary>Makes the PFX file of <c>DataProtection:CertificatePath</c>. It only encrypts keys: no authority and no expiry
/// matter.</summary>
internal static class MakeCertificate
{
    public static int Run()
    {
        var settings = new DataProtectionSettings();
        settings.Read(new ConfigurationBuilder().AddEnvironmentVariables().Build().GetSection(DataProtectionSettings.Section));
        if (settings is not { CertificatePath: { } path, CertificatePassword: { } password })
        {
            Console.WriteLine("DataProtection:CertificatePath and DataProtection:CertificatePassword have to be set in the environment.");
            return 1;
        }

        try
        {
            if (File.Exists(path))
            {
                using var present = TokenKeys.Load(new(path, password));
                Console.WriteLine($"{path} is there already and opens with this password.");
                return 0;
            }

            Write(path, password);
            Console.WriteLine($"{path} is made. Keep a copy of it and of its password: without them the stored tokens open no more.");
            return 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            Console.WriteLine($"DataProtection:CertificatePath: {e.Message}");
            return 1;
        }
    }

    private static void Write(string path, string password)
    {
        using var key = RSA.Create(3072);
        var request = new CertificateRequest("CN=Bitrix24Placements", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var now = DateTimeOffset.UtcNow;
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddYears(20));
        using var file = OwnFile.Create(path);
        file.Write(certificate.ExportPkcs12(Pkcs12ExportPbeParameters.Pbes2Aes256Sha256, password));
    }
}
