using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Microsoft.AspNetCore.DataProtection.XmlEncryption;

namespace Bitrix24Placements.Storage;

/// <summary>The keys that encrypt tokens: beside a SQLite file, or in PostgreSQL under a certificate. They are apart from the host's own
/// data protection.</summary>
internal sealed class TokenKeys : IAsyncDisposable
{
    /// <summary>Fixed: a moved folder or a new version still reads old tokens.</summary>
    private const string ApplicationName = "Bitrix24Placements";

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    private readonly Database _database;
    private readonly SchemaInstaller _schema;
    private readonly DataProtectionSettings _settings;
    private readonly StorageOptions _storage;
    private readonly ILoggerFactory _loggers;
    private readonly Lazy<ServiceProvider> _services;
    private readonly Lock _lock = new();
    private Task? _reading;

    public TokenKeys(Database database, SchemaInstaller schema, IOptions<DataProtectionSettings> settings, IOptions<StorageOptions> storage,
        ILoggerFactory loggers)
    {
        (_database, _schema, _settings, _storage, _loggers) = (database, schema, settings.Value, storage.Value, loggers);
        _services = new(Build);
    }

    public IDataProtectionProvider Provider => _services.Value.GetRequiredService<IDataProtectionProvider>();

    public IXmlRepository Repository => _services.Value.GetRequiredService<IOptions<KeyManagementOptions>>().Value.XmlRepository
        ?? throw new InvalidOperationException("There is no place for keys.");

    public bool AreRead { get; private set; }

    /// <summary>Those beside a SQLite file can be used while that cannot.</summary>
    public bool AreUsable => AreRead || _database.KeyFolder is not null;

    /// <summary>Reads the keys once. Whoever needs them before holds neither a thread nor a connection: the framework reads them while a
    /// thread stands still.</summary>
    public Task ReadAsync(CancellationToken cancellationToken)
    {
        if (AreRead)
            return Task.CompletedTask;
        Task reading;
        lock (_lock)
            reading = _reading = _reading is { IsCompleted: false } ? _reading : Task.Run(ReadAloneAsync, CancellationToken.None);
        return reading.WaitAsync(Timeout, cancellationToken);
    }

    public static X509Certificate2 Load(CertificateFile file) => X509CertificateLoader.LoadPkcs12FromFile(file.Path, file.Password);

    private async Task ReadAloneAsync()
    {
        if (AreRead)
            return;
        await _schema.EnsureAsync(CancellationToken.None);
        var protector = Provider.CreateProtector("readiness");
        protector.Unprotect(protector.Protect([]));
        AreRead = true;
    }

    private ServiceProvider Build()
    {
        var services = new ServiceCollection();
        services.AddSingleton(_loggers);
        services.AddLogging();
        var builder = services.AddDataProtection().SetApplicationName(ApplicationName);
        builder.AddKeyManagementOptions(options =>
        {
            options.XmlRepository = _database.KeyFolder is { } path
                ? new FileSystemXmlRepository(MakeFolder(path), _loggers)
                : new DatabaseKeys(_database, _schema);
            options.AutoGenerateKeys = _storage.MayMakeKeys;
            if (_settings.CertificatePath is { } certificate)
                options.XmlEncryptor = new CertificateXmlEncryptor(Load(new(certificate, _settings.CertificatePassword)), _loggers);
        });
        builder.UnprotectKeysWithAnyCertificate([.. _settings.All.Select(Load)]);
        return services.BuildServiceProvider();
    }

    private static DirectoryInfo MakeFolder(string path)
    {
        try
        {
            var folder = Directory.CreateDirectory(path);
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(folder.FullName, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            return folder;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"Storage:ConnectionString: the folder {path} for the keys of tokens cannot be used: {e.Message}", e);
        }
    }

    public ValueTask DisposeAsync() => _services.IsValueCreated ? _services.Value.DisposeAsync() : ValueTask.CompletedTask;
}
