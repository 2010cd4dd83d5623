using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Primitives;

namespace Bitrix24Placements.Pages;

/// <summary>The pages' files travel inside the library; only <c>custom.js</c>, which the worker loads, may be the host's own: edited
/// without a rebuild.</summary>
internal sealed class OwnScripts(IFileProvider own, IFileProvider embedded) : IFileProvider
{
    private const string Custom = "/custom.js";

    public IFileInfo GetFileInfo(string subpath) =>
        subpath == Custom && own.GetFileInfo(subpath) is { Exists: true } custom ? custom : embedded.GetFileInfo(subpath);

    public IDirectoryContents GetDirectoryContents(string subpath) => embedded.GetDirectoryContents(subpath);

    public IChangeToken Watch(string filter) => NullChangeToken.Singleton;
}
