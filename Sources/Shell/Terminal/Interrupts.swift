import Foundation
import Synchronization

/// Ctrl-C and the like for a run without a prompt: the first wish to stop cancels, so that the work ends in good order and the
/// program with 130; a second ends it at once, which is harmless, since what was finished is kept.
///
/// The signals are blocked in every thread and awaited by one of their own (sigwait(3)), so that no handler ever runs on a
/// thread that computes: with a handler, half of the interrupted trainings ended with a corrupt heap inside a product's
/// generated code, and so none.
public enum Interrupts {
  /// Turns SIGINT and SIGTERM into a cancellation, from now to the program's end. To be called before any other thread is
  /// started, since threads inherit what is blocked.
  public static func install(cancelling cancellation: Cancellation) {
    var signals = awaited()
    pthread_sigmask(SIG_BLOCK, &signals, nil)
    let waiting = Thread {
      var signals = awaited()
      var number: Int32 = 0
      while sigwait(&signals, &number) != 0 {}
      if isOver.load(ordering: .acquiring) {
        over.signal()
        return
      }
      cancellation.cancel()
      // What does not ask within a second is a line of megabytes that is read, or a page that is drawn. A batch of training may take
      // longer on a slow machine: it loses only the sentence about what is kept.
      var patience = timespec(tv_sec: 0, tv_nsec: 900_000_000)
      if sigtimedwait(&signals, nil, &patience) < 0 {
        if cancellation.isHeard {
          while sigwait(&signals, &number) != 0 {}
        } else {
          Terminal.standardError.write("Interrupted.\n")
        }
      }
      TerminalModes.leave()
      _exit(128 + SIGINT)
    }
    waiting.name = "interrupts"
    waiting.start()
  }

  /// Gives the signals back, for a prompt to take over; to be called on the thread that called `install`, while nobody has been
  /// interrupted.
  public static func end() {
    isOver.store(true, ordering: .releasing)
    kill(getpid(), SIGINT)
    over.wait()
    var signals = awaited()
    pthread_sigmask(SIG_UNBLOCK, &signals, nil)
  }

  private static let isOver = Atomic<Bool>(false)
  private static let over = DispatchSemaphore(value: 0)

  private static func awaited() -> sigset_t {
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGINT)
    sigaddset(&signals, SIGTERM)
    return signals
  }
}
