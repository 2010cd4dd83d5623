namespace Bitrix24Placements.Doctor;

/// <summary>One thing that is looked at.</summary>
internal interface ICheck
{
    /// <summary>A stable word for scripts, and the key of its title: <c>doctor.check.{Id}</c>.</summary>
    string Id { get; }

    /// <summary>Checks without whose success this one would only repeat their finding.</summary>
    IReadOnlyList<string> Needs => [];

    /// <summary>What was seen may name the operator's hosts and other people's apps: it is told to him alone.</summary>
    bool IsOperators => false;

    /// <returns>Nothing where all is well.</returns>
    Task<IReadOnlyList<Finding>> RunAsync(Examination examination, CancellationToken cancellationToken);
}
