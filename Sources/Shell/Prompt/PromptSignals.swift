import Foundation
import Synchronization

/// The signals that a prompt answers to, from its first line to its last.
///
/// Those of a person or a window are written to a pipe, which whoever waits on the main thread reads beside its own: so none
/// falls between two calls. SIGTSTP puts the terminal in order before the program stops; so do the signals that end it.
final class PromptSignals {
  private static let noted = [SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGCONT]
  private static let fatal = [SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV]
  /// Signals that only the main thread takes, so that no system call of a verb is interrupted by them.
  private static let forMainThread = noted + [SIGTSTP]

  let pipe: SelfPipe
  private var previous: [Int32: sigaction] = [:]

  /// - Throws: `Diagnostic` where no pipe can be had.
  init() throws {
    guard let pipe = SelfPipe() else {
      throw Diagnostic(
        code: "no-descriptors",
        message: "There are too many open files for a prompt. Close some programs and try again.")
    }
    self.pipe = pipe
  }

  /// Takes the signals over.
  func begin() {
    signalPipe.store(pipe.writer, ordering: .sequentiallyConsistent)
    for signal in Self.noted {
      install(signal) { SelfPipe.write(UInt8($0), to: signalWriter()) }
    }
    install(SIGTSTP) { stop($0) }
    for signal in Self.fatal {
      install(signal, flags: Int32(bitPattern: UInt32(SA_RESETHAND)) | SA_NODEFER) { signal in
        TerminalModes.leave()
        raise(signal)
      }
    }
  }

  private func install(_ signal: Int32, flags: Int32 = 0, _ handler: @escaping @convention(c) (Int32) -> Void)
  {
    var action = sigaction()
    action.__sigaction_handler.sa_handler = handler
    action.sa_flags = flags
    var before = sigaction()
    // What the user has switched off (`nohup`) stays off.
    if sigaction(signal, nil, &before) == 0, isIgnored(before), signal == SIGHUP { return }
    sigaction(signal, &action, &before)
    previous[signal] = before
  }

  private func isIgnored(_ action: sigaction) -> Bool {
    unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1
  }

  /// Puts the signals back as they were.
  func end() {
    for (signal, action) in previous {
      var action = action
      sigaction(signal, &action, nil)
    }
    previous = [:]
    signalPipe.store(-1, ordering: .sequentiallyConsistent)
  }

  deinit { pipe.close() }

  /// Blocks the prompt's signals in the calling thread and those it starts.
  static func leaveToMainThread() {
    var set = sigset_t()
    sigemptyset(&set)
    for signal in forMainThread { sigaddset(&set, signal) }
    pthread_sigmask(SIG_BLOCK, &set, nil)
  }
}

private let signalPipe = Atomic<Int32>(-1)

private func signalWriter() -> Int32 { signalPipe.load(ordering: .relaxed) }

/// Ctrl-Z: stops as every program does, in order before and after (Stevens and Rago, Advanced Programming in the UNIX
/// Environment, 10.21). Raised anew and not turned into SIGSTOP, since in a session without job control nobody could wake it.
private func stop(_ signal: Int32) {
  let code = errno
  TerminalModes.leave()
  var ours = sigaction()
  var theirs = sigaction()
  theirs.__sigaction_handler.sa_handler = SIG_DFL
  sigaction(signal, &theirs, &ours)
  var set = sigset_t()
  var before = sigset_t()
  sigemptyset(&set)
  sigaddset(&set, signal)
  raise(signal)
  pthread_sigmask(SIG_UNBLOCK, &set, &before)
  pthread_sigmask(SIG_SETMASK, &before, nil)
  sigaction(signal, &ours, nil)
  TerminalModes.enter()
  errno = code
}
