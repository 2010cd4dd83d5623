using Bitrix24Placements.Placements;

namespace Bitrix24Placements;

/// <summary>A placement that was mapped: what the portal calls it, and the conventions of its endpoint.</summary>
public sealed class PlacementBuilder : IEndpointConventionBuilder
{
    private readonly PlacementTitles _titles;
    private readonly IEndpointConventionBuilder _endpoint;

    internal PlacementBuilder(PlacementTitles titles, IEndpointConventionBuilder endpoint) => (_titles, _endpoint) = (titles, endpoint);

    /// <summary>The name of the tab, button or menu entry, in every language that has none of its own.</summary>
    public PlacementBuilder WithTitle(string title) => With("TITLE", "", title);

    /// <param name="language">Bitrix24's code: <c>en</c>, <c>ru</c>, <c>de</c>, <c>la</c> (Spanish), <c>br</c> (Portuguese), …</param>
    /// <inheritdoc cref="WithTitle(string)"/>
    public PlacementBuilder WithTitle(string language, string title) => With("TITLE", language, title);

    /// <summary>A sentence that the portal shows beside the title, where it has room for one.</summary>
    public PlacementBuilder WithDescription(string description) => With("DESCRIPTION", "", description);

    /// <inheritdoc cref="WithDescription(string)"/>
    public PlacementBuilder WithDescription(string language, string description) => With("DESCRIPTION", language, description);

    /// <summary>The name under which the portal gathers several entries of one app.</summary>
    public PlacementBuilder WithGroupName(string groupName) => With("GROUP_NAME", "", groupName);

    /// <inheritdoc cref="WithGroupName(string)"/>
    public PlacementBuilder WithGroupName(string language, string groupName) => With("GROUP_NAME", language, groupName);

    public void Add(Action<EndpointBuilder> convention) => _endpoint.Add(convention);

    public void Finally(Action<EndpointBuilder> finallyConvention) => _endpoint.Finally(finallyConvention);

    private PlacementBuilder With(string name, string language, string text)
    {
        _titles.Set(name, language, text);
        return this;
    }
}
