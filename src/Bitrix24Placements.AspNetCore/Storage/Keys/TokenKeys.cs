using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.Repositories;

namespace Bitrix24Placements.Storage;

/// <summary>What encrypts tokens: beside a SQLite file, or in PostgreSQL under a certificate; apart from the host's own data
/// protection.</summary>
internal sealed class TokenKeys(
    Database database, SchemaInstaller schema, IOptions<DataProtectionSettings> settings, IOptions<StorageOptions> storage,
    ILoggerFactory loggers) : IAsyncDisposable
{
    // Fixed: moved folders and new versions read old tokens.
    private const string ApplicationName = "Bitrix24Placements";

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private ServiceProvider? _services;
    private Task? _reading;

    internal ServiceProvider Services
    {
        get
        {
            lock (_lock)
                return _services ??= Build();
        }
    }

    public IDataProtectionProvider Provider => Services.GetRequiredService<IDataProtectionProvider>();

    public bool AreRead { get; private set; }

    /// <summary>Those beside a SQLite file can be used without it.</summary>
    public bool AreUsable => AreRead || database.KeyFolder is not null;

    /// <summary>The framework reads them while a thread stands still: whoever waits here holds neither thread nor connection.</summary>
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
        await schema.EnsureAsync(CancellationToken.None);
        var protector = Provider.CreateProtector("readiness");
        protector.Unprotect(protector.Protect([]));
        AreRead = true;
    }

    private ServiceProvider Build()
    {
        var services = new ServiceCollection();
        services.AddSingleton(loggers);
        services.AddLogging();
        var builder = services.AddDataProtection().SetApplicationName(ApplicationName);
        builder.AddKeyManagementOptions(options =>
        {
            options.XmlRepository = database.KeyFolder is { } path
                ? new FileSystemXmlRepository(MakeFolder(path), loggers)
                : new DatabaseKeys(database, schema);
            options.AutoGenerateKeys = storage.Value.MayMakeKeys;
        });
        if (settings.Value.Own is { } own)
            builder.ProtectKeysWithCertificate(Load(own));
        builder.UnprotectKeysWithAnyCertificate([.. settings.Value.All.Select(Load)]);
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

    public ValueTask DisposeAsync() => _services?.DisposeAsync() ?? ValueTask.CompletedTask;
}
