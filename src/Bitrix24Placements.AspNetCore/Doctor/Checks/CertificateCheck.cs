using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Bitrix24Placements.Rest;

namespace Bitrix24Placements.Doctor.Checks;

internal sealed class CertificateCheck(IOptions<Bitrix24Options> options, ProbeTrust trust, TimeProvider time) : Check(Name, NameCheck.Name)
{
    public const string Name = "certificate";

    public const int SoonDays = 14;

    public override async Task<IReadOnlyList<Finding>> RunAsync(Examination examination, CancellationToken cancellationToken)
    {
        var url = new Uri(options.Value.PublicUrl ?? "");
        if (url.Scheme != Uri.UriSchemeHttps)
            return Finding.None;
        try
        {
            return Judge(await LookAsync(url, cancellationToken), url);
        }
        catch (Exception e) when (e is SocketException or IOException or AuthenticationException)
        {
            return Finding.One("address.unreachable", $"{url.Authority}: {e.GetBaseException().Message}");
        }
    }

    private IReadOnlyList<Finding> Judge(Presented presented, Uri url)
    {
        var now = time.GetUtcNow();
        var until = presented.NotAfter.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture);
        var seen = $"{url.Authority}: {presented.Subject}, {until}";
        if (presented.NotAfter <= now)
            return Finding.One("certificate.expired", seen);
        if (presented.Errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
            return Finding.One("certificate.name", seen);
        if (presented.Errors != SslPolicyErrors.None)
            return Finding.One("certificate.untrusted", $"{seen}; {presented.Chain}");
        return presented.NotAfter - now < TimeSpan.FromDays(SoonDays) ? Finding.One("certificate.soon", seen) : Finding.None;
    }

    private async Task<Presented> LookAsync(Uri url, CancellationToken cancellationToken)
    {
        Presented? presented = null;
        using var client = new TcpClient();
        await client.ConnectAsync(url.IdnHost, url.Port, cancellationToken);
        await using var stream = new SslStream(client.GetStream());
        var how = new SslClientAuthenticationOptions
        {
            TargetHost = url.IdnHost,
            CertificateChainPolicy = trust.Policy,
            RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
            {
                presented = Presented.Read((X509Certificate2?)certificate, chain, errors);
                return errors == SslPolicyErrors.None;
            },
        };
        try
        {
            await stream.AuthenticateAsClientAsync(how, cancellationToken);
        }
        catch (AuthenticationException) when (presented is not null)
        {
            // Why is known by now.
        }

        return presented ?? throw new AuthenticationException("No certificate was presented.");
    }

    private sealed record Presented(string Subject, DateTimeOffset NotAfter, SslPolicyErrors Errors, string Chain)
    {
        public static Presented? Read(X509Certificate2? certificate, X509Chain? chain, SslPolicyErrors errors) =>
            certificate is null ? null : new(
            certificate.GetNameInfo(X509NameType.DnsName, forIssuer: false), certificate.NotAfter.ToUniversalTime(), errors,
            string.Join(", ", chain?.ChainStatus.Select(s => s.Status.ToString()).Distinct() ?? []));
    }
}
