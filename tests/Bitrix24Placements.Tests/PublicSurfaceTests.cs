using System.Reflection;

namespace Bitrix24Placements.Tests;

/// <summary>What the packages promise: their public types and members, as written down in PublicSurface. A change of it is a decision.</summary>
public sealed class PublicSurfaceTests
{
    private const string Renew = "RENEW_PUBLIC_SURFACE";

    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    [Theory]
    [InlineData(typeof(RestClient))]
    [InlineData(typeof(PortalSimulator.SimPortal))]
    public async Task Is_what_is_written_down(Type ofThePackage)
    {
        var assembly = ofThePackage.Assembly;
        var surface = string.Join('\n', assembly.GetExportedTypes().Select(Describe).Order(StringComparer.Ordinal)) + "\n";
        var file = Path.Combine(ArchitectureTests.Clone, "tests", "Bitrix24Placements.Tests", "PublicSurface", assembly.GetName().Name + ".txt");
        if (Environment.GetEnvironmentVariable(Renew) == "1")
            await File.WriteAllTextAsync(file, surface, TestContext.Current.CancellationToken);

        var written = File.Exists(file) ? await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken) : "";
        var (before, now) = (written.Split('\n'), surface.Split('\n'));
        Assert.True(written == surface, $"The public surface has changed. If that is meant, run this test with {Renew}=1 and tell of it in CHANGELOG.md.\n"
            + string.Join('\n', before.Except(now).Select(static l => "- " + l).Concat(now.Except(before).Select(static l => "+ " + l))));
    }

    /// <summary>A type and its members, a line each, every line with the type's name: so that a difference can be read by itself.</summary>
    private static string Describe(Type type)
    {
        var kind = type.IsEnum ? "enum" : type.IsInterface ? "interface" : type.IsValueType ? "struct"
            : type.IsAbstract && type.IsSealed ? "static class" : type.IsAbstract ? "abstract class" : type.IsSealed ? "sealed class" : "class";
        IEnumerable<Type?> bases = type.IsEnum ? [] : [type.BaseType, .. type.GetInterfaces()];
        var members = type.GetMembers(Declared).Where(IsPromised).Select(m => $"{type}: {Modifier(m)}{m}").Order(StringComparer.Ordinal);
        return string.Join('\n', members.Prepend($"{kind} {type} : {string.Join(", ", bases.OfType<Type>().Where(static b => b != typeof(object)))}".TrimEnd(' ', ':')));
    }

    private static string Modifier(MemberInfo member) => member is MethodBase { IsStatic: true } or FieldInfo { IsStatic: true } ? "static " : "";

    /// <summary>Accessors stand for their properties. What every record has is not told.</summary>
    private static bool IsPromised(MemberInfo member) => member switch
    {
        { Name: ['<', ..] or "value__" } => false,
        MethodInfo method when method.GetBaseDefinition().DeclaringType == typeof(object) => false,
        MethodBase method => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly,
        FieldInfo field => field.IsPublic || field.IsFamily || field.IsFamilyOrAssembly,
        _ => false,
    };
}
