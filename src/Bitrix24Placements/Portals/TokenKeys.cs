using System.Data.Common;
using System.Security.Cryptography.X509Certificates;
using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Microsoft.AspNetCore.DataProtection.XmlEncryption;
using Microsoft.Extensions.Options;

namespace Bitrix24Placements.Portals;

/// <summary>Where the keys are that encrypt tokens: beside a SQLite file in a folder of their own that only the service can read, or in PostgreSQL under a certificate.</summary>
public sealed class TokenKeys(Database database, SchemaInstaller schema, IOptions<DataProtectionSettings> settings, ILoggerFactory loggers) : IConfigureOptions<KeyManagementOptions>
{
    public void Configure(KeyManagementOptions options)
    {
        options.XmlRepository = database.FilePath is { } path ? new FileSystemXmlRepository(KeyFolder(path), loggers) : new DatabaseKeys(database, schema);
        if (settings.Value.CertificatePath is { } certificate)
            options.XmlEncryptor = new CertificateXmlEncryptor(Load(new(certificate, settings.Value.CertificatePassword)), loggers);
    }

    public static X509Certificate2 Load(CertificateFile file) => X509CertificateLoader.LoadPkcs12FromFile(file.Path, file.Password);

    private static DirectoryInfo KeyFolder(string databasePath)
    {
        var folder = Directory.CreateDirectory(Path.Combine(Path.GetDirectoryName(databasePath)!, "keys"));
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(folder.FullName, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return folder;
    }

    /// <summary>The framework asks synchronously, at start and every few hours.</summary>
    private sealed class DatabaseKeys(Database database, SchemaInstaller schema) : IXmlRepository
    {
        public IReadOnlyCollection<XElement> GetAllElements() => Task.Run(async () =>
        {
            await schema.EnsureAsync(CancellationToken.None);
            return await database.QueryAsync("SELECT xml FROM data_protection_keys", static (DbDataReader r) => XElement.Parse(r.GetString(0)), CancellationToken.None);
        }).GetAwaiter().GetResult();

        public void StoreElement(XElement element, string friendlyName) => Task.Run(async () =>
        {
            await schema.EnsureAsync(CancellationToken.None);
            return await database.ExecuteAsync("INSERT INTO data_protection_keys (name, xml) VALUES (@name, @xml)", CancellationToken.None,
                ("@name", friendlyName), ("@xml", element.ToString(SaveOptions.DisableFormatting)));
        }).GetAwaiter().GetResult();
    }
}
