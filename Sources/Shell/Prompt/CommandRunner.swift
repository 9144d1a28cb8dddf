import Foundation
import Synchronization

/// Runs a command on a thread of its own while the main thread waits for its end and for signals.
struct CommandRunner {
  /// Room for deep recursion in a verb; only what is touched takes memory.
  private static let stackSize = 64 << 20

  let signals: PromptSignals
  let modes: TerminalModes
  let terminal: Terminal

  /// - Throws: `Diagnostic` where no pipe can be had.
  func run(_ text: String, _ execute: @escaping @Sendable (String, Cancellation) -> Next) throws -> Next {
    guard let ended = SelfPipe() else {
      throw Diagnostic(code: "no-descriptors", message: "There are too many open files to run a command.")
    }
    defer { ended.close() }
    let cancellation = Cancellation()
    let result = Outcome()
    let thread = Thread {
      PromptSignals.leaveToMainThread()
      result.set(execute(text, cancellation))
      fflush(nil)
      SelfPipe.write(1, to: ended.writer)
    }
    thread.stackSize = Self.stackSize
    thread.name = "command"
    thread.start()
    let leaves = wait(for: ended, cancelling: cancellation)
    // Should the command have changed them.
    modes.quiet()
    return leaves ? .leave : result.value
  }

  /// Returns when the command has ended; whether a signal wants the shell to end, too.
  private func wait(for ended: SelfPipe, cancelling cancellation: Cancellation) -> Bool {
    var leaves = false
    while true {
      _ = waitForInput(of: [signals.pipe.reader, ended.reader])
      for signal in signals.pipe.drain().map(Int32.init) {
        switch signal {
        case SIGINT:
          if cancellation.isCancelled {
            let erase = terminal.isDumb ? "\n" : "\r\u{1B}[K"
            Terminal.standardError.write(erase + "Stopping: the step under way ends first.\n")
          }
          cancellation.cancel()
        case SIGTERM, SIGHUP:
          leaves = true
          cancellation.cancel()
        case SIGCONT: modes.quiet()
        default: break
        }
      }
      if !ended.drain().isEmpty { return leaves }
    }
  }

  private final class Outcome: Sendable {
    private let next = Mutex(Next.goOn)

    var value: Next { next.withLock { $0 } }

    func set(_ value: Next) { next.withLock { $0 = value } }
  }
}
