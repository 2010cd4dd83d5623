using System.Runtime.InteropServices;

namespace Bitrix24Placements.PortalSimulator;

/// <summary>The simulator as a program.</summary>
/// <remarks>Not in top-level statements: their Program is public, and would hide that of an app under test.</remarks>
internal static class Program
{
    public static async Task<int> Main(string[] args)
    {
        if (CommandLine.Parse(args) is not { } asked)
        {
            Console.Error.WriteLine(CommandLine.Usage);
            return 2;
        }
        using var ending = new CancellationTokenSource();
        using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
        using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
        try
        {
            await Demonstration.RunAsync(asked, ending.Token);
            return 0;
        }
        catch (Exception ended) when (ending.IsCancellationRequested && ended is (OperationCanceledException or SimulatorException))
        {
            return 0;
        }
        catch (SimulatorException failed)
        {
            Console.Error.WriteLine(failed.Message);
            return 1;
        }

        void End(PosixSignalContext signal)
        {
            signal.Cancel = true;
            ending.Cancel();
        }
    }
}
