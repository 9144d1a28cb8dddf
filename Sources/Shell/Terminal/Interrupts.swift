import Foundation
import Synchronization

/// Ctrl-C and the like for a run without a prompt: the first wish to stop cancels, so that the work ends in good order and the
/// program with 130; a second ends it at once, which is harmless, since what was finished is kept.
public enum Interrupts {
  /// Turns SIGINT and SIGTERM into a cancellation, from now to the program's end.
  public static func install(cancelling cancellation: Cancellation) {
    guard let pipe = SelfPipe() else { return }
    interruptPipe.store(pipe.writer, ordering: .sequentiallyConsistent)
    let waiting = Thread {
      var state = pollfd(fd: pipe.reader, events: Int16(POLLIN), revents: 0)
      while poll(&state, 1, -1) < 1 {}
      cancellation.cancel()
    }
    waiting.name = "interrupts"
    waiting.start()
    for signal in [SIGINT, SIGTERM] {
      var action = sigaction()
      action.__sigaction_handler.sa_handler = { SelfPipe.write(UInt8($0), to: interruptWriter()) }
      action.sa_flags = Int32(bitPattern: UInt32(SA_RESETHAND)) | SA_RESTART
      sigaction(signal, &action, nil)
    }
  }
}

// A signal's handler reaches nothing but globals; this one holds the pipe's writing end.
private let interruptPipe = Atomic<Int32>(-1)

private func interruptWriter() -> Int32 { interruptPipe.load(ordering: .relaxed) }
