import Basics

/// What the machine has to grant before anything begins.
public enum Machine {
  /// To be called first of all, before any thread is started.
  ///
  /// - Throws: `Diagnostic` where memory, threads or files do not suffice, by `ulimit -v`, `-u` and `-n`.
  public static func check() throws {
    do {
      try AddressSpace.begin(leave: { TerminalModes.leave() })
    } catch let shortage as AddressSpace.Shortage {
      throw Diagnostic(code: "memory-short", message: shortage.description)
    } catch let error as AddressSpace.NoThreads {
      throw Diagnostic(code: "no-threads", message: error.description)
    } catch let error as AddressSpace.NoFiles {
      throw Diagnostic(code: "no-files", message: error.description)
    }
  }
}
