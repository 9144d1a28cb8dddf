import Foundation

/// A program on a terminal of its own, to be typed at and watched as a person would.
///
/// Waits end by what appears, with a generous deadline; nothing here sleeps and hopes.
public final class PseudoTerminal {
  public let process: pid_t
  /// Everything that came, with its escape codes.
  public private(set) var output: [UInt8] = []
  public private(set) var screen: Screen
  private var controller: Int32
  private var position = 0
  private var exitStatus: Int32?

  public enum Problem: Error, CustomStringConvertible {
    case cannotStart(String)
    case neverAppeared(String, screen: String, after: String)
    case neverEnded(screen: String)

    public var description: String {
      switch self {
      case .cannotStart(let why): "cannot start: \(why)"
      case .neverAppeared(let text, let screen, let after):
        "never appeared: \(text.debugDescription)\nscreen:\n\(screen)\nafter the last match: \(after.debugDescription)"
      case .neverEnded(let screen): "never ended; screen:\n\(screen)"
      }
    }
  }

  /// Starts a program with the terminal as its own.
  public init(
    _ executable: String, _ arguments: [String] = [], environment: [String: String] = [:],
    columns: Int = 80, rows: Int = 24, directory: String? = nil
  ) throws {
    // By Linux's own calls (ioctl_tty(2)): Glibc's module has neither posix_openpt nor ptsname.
    controller = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
    let (unlock, nameTerminal): (UInt, UInt) = (0x4004_5431, 0x8004_5430)
    var lock: Int32 = 0
    var number: Int32 = 0
    guard controller >= 0, ioctl(controller, unlock, &lock) == 0,
      ioctl(controller, nameTerminal, &number) == 0
    else { throw Problem.cannotStart("no pseudo-terminal") }
    let name = "/dev/pts/\(number)"
    screen = Screen(columns: columns, rows: rows)
    var size = winsize(ws_row: UInt16(rows), ws_col: UInt16(columns), ws_xpixel: 0, ws_ypixel: 0)
    _ = ioctl(controller, UInt(TIOCSWINSZ), &size)

    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    // A session's leader gets the first terminal that it opens as its own.
    posix_spawn_file_actions_addopen(&actions, 0, name, O_RDWR, 0)
    posix_spawn_file_actions_adddup2(&actions, 0, 1)
    posix_spawn_file_actions_adddup2(&actions, 0, 2)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var defaults = sigset_t()
    sigfillset(&defaults)
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigdefault(&attributes, &defaults)
    posix_spawnattr_setsigmask(&attributes, &none)
    let setSession: Int16 = 0x80
    posix_spawnattr_setflags(
      &attributes, setSession | Int16(POSIX_SPAWN_SETSIGDEF) | Int16(POSIX_SPAWN_SETSIGMASK))

    var variables = ProcessInfo.processInfo.environment.merging(
      ["TERM": "xterm", "LC_ALL": "C.UTF-8", "HOME": "/nonexistent"]
    ) { $1 }
    variables["NO_COLOR"] = nil
    variables.merge(environment) { $1 }
    let program = directory == nil ? executable : "/usr/bin/env"
    let command = directory.map { ["/usr/bin/env", "-C", $0] } ?? []
    var words = (command + [executable] + arguments).map { strdup($0) } + [nil]
    var settings = variables.map { strdup("\($0)=\($1)") } + [nil]
    defer { for text in words + settings { free(text) } }
    var process: pid_t = 0
    let status = posix_spawn(&process, program, &actions, &attributes, &words, &settings)
    self.process = process
    guard status == 0 else {
      throw Problem.cannotStart("\(executable): \(String(cString: strerror(status)))")
    }
  }

  deinit {
    if exitStatus == nil {
      kill(process, SIGKILL)
      var status: Int32 = 0
      waitpid(process, &status, 0)
    }
    hangUp()
  }

  /// Closes the window.
  public func hangUp() {
    if controller >= 0 { close(controller) }
    controller = -1
  }

  /// Types a text, as keys or as a paste without brackets.
  public func type(_ text: String) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { write(controller, $0.baseAddress, $0.count) }
      if count <= 0 { return }
      bytes = bytes.dropFirst(count)
    }
  }

  /// Waits for a text in what comes, after the last one waited for.
  public func wait(for text: String, seconds: Double = 30) throws {
    let wanted = Array(text.utf8)
    let found = wait(seconds: seconds) {
      guard let end = self.end(of: wanted, from: self.position) else { return false }
      self.position = end
      return true
    }
    guard found else {
      throw Problem.neverAppeared(
        text, screen: screen.text, after: String(decoding: output[position...].suffix(400), as: UTF8.self))
    }
  }

  /// Waits until the screen is as it should be.
  public func waitForScreen(
    _ what: String, seconds: Double = 30, _ condition: @escaping (Screen) -> Bool
  ) throws {
    guard wait(seconds: seconds, until: { condition(self.screen) }) else {
      throw Problem.neverAppeared(what, screen: screen.text, after: "")
    }
    position = output.count
  }

  /// The exit status, or 128 and the signal's number.
  public func waitForExit(seconds: Double = 30) throws -> Int32 {
    let ended = wait(seconds: seconds) {
      if self.exitStatus != nil { return true }
      var status: Int32 = 0
      guard waitpid(self.process, &status, WNOHANG) == self.process else { return false }
      self.exitStatus = status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
      return true
    }
    guard ended, let exitStatus else { throw Problem.neverEnded(screen: screen.text) }
    return exitStatus
  }

  public func resize(columns: Int, rows: Int) {
    screen.resize(columns: columns, rows: rows)
    var size = winsize(ws_row: UInt16(rows), ws_col: UInt16(columns), ws_xpixel: 0, ws_ypixel: 0)
    _ = ioctl(controller, UInt(TIOCSWINSZ), &size)
  }

  public func signal(_ number: Int32) { kill(process, number) }

  /// Whether the process is stopped, as by Ctrl-Z.
  public var isStopped: Bool {
    let status = (try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)) ?? ""
    return status.split(separator: ")").last?.trimmingCharacters(in: .whitespaces).hasPrefix("T") == true
  }

  /// The local modes of the terminal as they are now.
  public var localModes: UInt32 {
    var modes = termios()
    tcgetattr(controller, &modes)
    return modes.c_lflag
  }

  /// Reads what comes until a condition holds; whether it did in time.
  public func wait(seconds: Double = 30, until condition: () -> Bool) -> Bool {
    let deadline = Date(timeIntervalSinceNow: seconds)
    while !condition() {
      if Date() > deadline { return false }
      var state = pollfd(fd: controller, events: Int16(POLLIN), revents: 0)
      guard poll(&state, 1, 50) > 0 else { continue }
      var chunk = [UInt8](repeating: 0, count: 65_536)
      let count = read(controller, &chunk, chunk.count)
      if count > 0 {
        output += chunk[..<count]
        screen.take(chunk[..<count])
      } else {
        // The other side is closed; poll would come back at once.
        usleep(20_000)
      }
    }
    return true
  }

  private func end(of wanted: [UInt8], from start: Int) -> Int? {
    guard output.count >= start + wanted.count else { return nil }
    for index in start...(output.count - wanted.count)
    where output[index..<(index + wanted.count)].elementsEqual(wanted) {
      return index + wanted.count
    }
    return nil
  }
}
