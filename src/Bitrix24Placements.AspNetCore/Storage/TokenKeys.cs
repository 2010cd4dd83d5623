using System.Data.Common;
using System.Security.Cryptography.X509Certificates;
using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Microsoft.AspNetCore.DataProtection.XmlEncryption;
using Microsoft.Extensions.Options;

namespace Bitrix24Placements.Storage;

/// <summary>Where the keys are that encrypt tokens: beside a SQLite file in a folder of their own that only the service can read, or in PostgreSQL under a certificate.</summary>
internal sealed class TokenKeys(Database database, SchemaInstaller schema, IOptions<DataProtectionSettings> settings, ILoggerFactory loggers) : IConfigureOptions<KeyManagementOptions>
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
        var path = Path.Combine(Path.GetDirectoryName(databasePath)!, "keys");
        try
        {
            var folder = Directory.CreateDirectory(path);
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(folder.FullName, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            return folder;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OptionsValidationException("", typeof(StorageOptions), [$"Storage:ConnectionString: the folder {path} for the keys cannot be used: {e.Message}"]);
        }
    }

    /// <summary>The framework asks synchronously, at start and every few hours.</summary>
    private sealed class DatabaseKeys(Database database, SchemaInstaller schema) : IXmlRepository
    {
        private int _seen;

        public IReadOnlyCollection<XElement> GetAllElements() => Task.Run(async () =>
        {
            await schema.EnsureAsync(CancellationToken.None);
            var keys = await database.QueryAsync("SELECT xml FROM data_protection_keys", static (DbDataReader r) => XElement.Parse(r.GetString(0)), CancellationToken.None);
            Volatile.Write(ref _seen, keys.Count);
            return keys;
        }).GetAwaiter().GetResult();

        /// <summary>Instances that miss a key at the same time would each make one, and not know the others' for a day. Only the first is kept: the framework reads all keys anew after storing one.</summary>
        public void StoreElement(XElement element, string friendlyName) => Task.Run(async () =>
        {
            await schema.EnsureAsync(CancellationToken.None);
            return await database.RunAsync(async (connection, token) =>
            {
                await using var transaction = await connection.BeginTransactionAsync(token);
                await using var turns = connection.Command("LOCK TABLE data_protection_keys IN SHARE ROW EXCLUSIVE MODE");
                await turns.ExecuteNonQueryAsync(token);
                await using var command = connection.Command(
                    "INSERT INTO data_protection_keys (name, xml) SELECT @name, @xml WHERE (SELECT COUNT(*) FROM data_protection_keys) = @seen",
                    ("@name", friendlyName), ("@xml", element.ToString(SaveOptions.DisableFormatting)), ("@seen", (long)Volatile.Read(ref _seen)));
                var stored = await command.ExecuteNonQueryAsync(token);
                await transaction.CommitAsync(token);
                return stored;
            }, CancellationToken.None);
        }).GetAwaiter().GetResult();
    }
}
