namespace Bitrix24Placements.Settings;

internal interface ISettings
{
    static abstract string Section { get; }

    void Read(IConfigurationSection section);

    string? Problem() => null;
}
