namespace Bitrix24Placements.Doctor;

internal interface ICheck
{
    /// <summary>A stable word for scripts, and the key of its title: <c>doctor.check.{Id}</c>.</summary>
    string Id { get; }

    /// <summary>Checks without whose success this one would only repeat their finding.</summary>
    IReadOnlyList<string> Needs => [];

    /// <summary>What was seen may name the operator's hosts and other people's apps: it is told to him alone.</summary>
    bool IsOperators => false;

    Task<IReadOnlyList<Finding>> RunAsync(Examination examination, CancellationToken cancellationToken);
}
