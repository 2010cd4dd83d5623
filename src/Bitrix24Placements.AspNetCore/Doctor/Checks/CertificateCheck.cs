using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Bitrix24Placements.Rest;

namespace Bitrix24Placements.Doctor;

internal sealed class CertificateCheck(IOptions<Bitrix24Options> options, ProbeTrust trust, TimeProvider time)
{
    private const int SoonDays = 14;

    public async Task<Finding[]> RunAsync(CancellationToken cancellationToken)
    {
        var url = new Uri(options.Value.PublicUrl ?? "");
        if (url.Scheme != Uri.UriSchemeHttps)
            return [];
        try
        {
            return await LookAsync(url, cancellationToken);
        }
        catch (Exception e) when (e is SocketException or IOException or AuthenticationException)
        {
            return [new("address.unreachable", $"{url.Authority}: {e.GetBaseException().Message}")];
        }
    }

    private Finding[] Judge(Uri url, X509Certificate2 presented, X509Chain? chain, SslPolicyErrors errors)
    {
        DateTimeOffset until = presented.NotAfter.ToUniversalTime();
        var left = until - time.GetUtcNow();
        var name = presented.GetNameInfo(X509NameType.DnsName, forIssuer: false);
        var seen = string.Create(CultureInfo.InvariantCulture, $"{url.Authority}: {name}, {until:yyyy-MM-dd HH:mm 'UTC'}");
        if (left <= TimeSpan.Zero)
            return [new("certificate.expired", seen)];
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
            return [new("certificate.name", seen)];
        var why = string.Join(", ", chain?.ChainStatus.Select(s => s.Status).Distinct() ?? []);
        if (errors != SslPolicyErrors.None)
            return [new("certificate.untrusted", $"{seen}; {why}")];
        return left < TimeSpan.FromDays(SoonDays) ? [new("certificate.soon", seen)] : [];
    }

    private async Task<Finding[]> LookAsync(Uri url, CancellationToken cancellationToken)
    {
        Finding[]? findings = null;
        using var client = new TcpClient();
        await client.ConnectAsync(url.IdnHost, url.Port, cancellationToken);
        await using var stream = new SslStream(client.GetStream());
        var how = new SslClientAuthenticationOptions
        {
            TargetHost = url.IdnHost,
            CertificateChainPolicy = trust.Policy,
            RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
            {
                findings = certificate is X509Certificate2 presented ? Judge(url, presented, chain, errors) : null;
                return errors == SslPolicyErrors.None;
            },
        };
        try
        {
            await stream.AuthenticateAsClientAsync(how, cancellationToken);
        }
        catch (AuthenticationException) when (findings is not null)
        {
            // The callback has said why.
        }

        return findings ?? throw new AuthenticationException("No certificate was presented.");
    }
}
