namespace Bitrix24Placements.PortalSimulator;

public sealed partial class SimPortal
{
    private const int FirstSystemUser = 1001;

    /// <summary>Two administrators (1 and 4) and three employees, each with a language of his own.</summary>
    public IReadOnlyList<SimUser> Users { get; private set; } =
    [
        new(1, "Alice", "Admin", Admin: true, "en"),
        new(2, "Bob", "Baker", Admin: false, "de"),
        new(3, "Carol", "Clark", Admin: false, "la"),
        new(4, "Dmitri", "Dorn", Admin: true, "ru"),
        new(5, "Eva", "Esteves", Admin: false, "br"),
    ];

    /// <summary>Those that the portal has made for its apps; nobody sits in front of them.</summary>
    public IReadOnlyList<SimUser> SystemUsers
    {
        get { lock (_gate) return [.. _systemUsers]; }
    }

    /// <summary>A person or a system user of this portal.</summary>
    public SimUser User(int id) =>
        FindUser(id) ?? throw new ArgumentException($"{Name} has no user {id}.", nameof(id));

    /// <summary>Makes somebody an administrator, or takes it from him; his tokens stay valid.</summary>
    public void SetAdmin(int userId, bool admin) => Change(userId, user => user with { Admin = admin });

    /// <summary>His tokens are dead from now on (<c>invalid_grant</c>, <c>invalid_token</c>), and he can open nothing.</summary>
    public void Dismiss(int userId)
    {
        Change(userId, user => user with { Active = false });
        Bitrix.OAuth.Tokens.Revoke(this, userId);
    }

    /// <summary>A pair of tokens as the OAuth server gives them to a page of that user.</summary>
    /// <exception cref="InvalidOperationException">The user has been dismissed.</exception>
    public IssuedTokens IssueTokens(int userId, TimeSpan? lifetime = null, SimApp? app = null)
    {
        var user = User(userId);
        return user.Active
            ? Bitrix.OAuth.Tokens.Issue(app ?? App, user.Id, lifetime)
            : throw new InvalidOperationException($"{user.Name} has been dismissed.");
    }

    internal SimUser? FindUser(int id) => Users.Concat(SystemUsers).FirstOrDefault(user => user.Id == id);

    /// <summary>The app's own, made when it is asked for first.</summary>
    internal SimUser SystemUser(SimApp app)
    {
        lock (_gate)
        {
            if (app.SystemUserId is { } known) return _systemUsers.Find(user => user.Id == known)!;
            var made = new SimUser(FirstSystemUser + _systemUsers.Count, "System", app.ClientId, Admin: false, "en");
            _systemUsers.Add(made);
            app.SystemUserId = made.Id;
            return made;
        }
    }

    private void Change(int userId, Func<SimUser, SimUser> change)
    {
        lock (_gate) Users = [.. Users.Select(user => user.Id == userId ? change(user) : user)];
    }
}
