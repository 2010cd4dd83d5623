using System.Reflection;
using System.Text.Json.Nodes;

namespace Bitrix24Placements.PortalSimulator;

/// <summary>
/// Where the files of an app under test lie: its project folder, as the build of the tests has noted it. The factory looks for that note in
/// the working directory, which is another with each way to start tests, and then for a solution, which not everybody has.
/// </summary>
internal static class ContentRoot
{
    private static readonly string Note = Path.Combine(AppContext.BaseDirectory, "MvcTestingAppManifest.json");

    /// <summary>By the variable that the factory asks first.</summary>
    public static void Tell(Assembly app)
    {
        var name = $"ASPNETCORE_TEST_CONTENTROOT_{app.GetName().Name!.ToUpperInvariant().Replace('.', '_')}";
        if (Environment.GetEnvironmentVariable(name) is null) Environment.SetEnvironmentVariable(name, Of(app));
    }

    private static string Of(Assembly app)
    {
        var noted = File.Exists(Note) ? JsonNode.Parse(File.ReadAllText(Note))?[app.FullName!]?.GetValue<string>() : null;
        return Directory.Exists(noted) ? noted : AppContext.BaseDirectory;
    }
}
