using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Bitrix24Placements.Storage;

/// <summary>What .NET lacks of files; on Linux alone.</summary>
internal static class Posix
{
    /// <summary>A new file survives a power failure only where its folder is synced.</summary>
    public static void SyncFolder(string path)
    {
        if (!OperatingSystem.IsLinux())
            return;
        using var folder = Open(Terminated(path), 0);
        if (folder.IsInvalid)
            throw new IOException($"{path} cannot be opened: {Marshal.GetLastPInvokeErrorMessage()}");
        RandomAccess.FlushToDisk(folder);
    }

    /// <summary>Another after the file was deleted or replaced; null where there is none.</summary>
    public static (long Device, long Number)? FileAt(string path)
    {
        if (!OperatingSystem.IsLinux())
            return File.Exists(path) ? (0, 0) : null;
        // First on every 64-bit Linux: st_dev and st_ino.
        var status = new long[64];
        return Stat(Terminated(path), status) == 0 ? (status[0], status[1]) : null;
    }

    private static byte[] Terminated(string path) => Encoding.UTF8.GetBytes(path + "\0");

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    private static extern SafeFileHandle Open(byte[] path, int flags);

    [DllImport("libc", EntryPoint = "stat", SetLastError = true)]
    private static extern int Stat(byte[] path, long[] status);
}
