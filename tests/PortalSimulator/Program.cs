using System.Runtime.InteropServices;
using Bitrix24Placements.PortalSimulator;

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
