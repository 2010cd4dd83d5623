using System.ComponentModel.DataAnnotations;

namespace DealDesk;

/// <summary>Section <c>DealDesk</c>.</summary>
public sealed class DealDeskOptions
{
    public const string Section = "DealDesk";

    /// <summary>New deals from this amount on are shown to the person who is responsible for them.</summary>
    [Range(0, double.MaxValue)]
    public decimal MinimumAmount { get; set; }

    /// <summary>The app's own table.</summary>
    [Required]
    public string ConnectionString { get; set; } = "Data Source=data/dealdesk.db";
}
