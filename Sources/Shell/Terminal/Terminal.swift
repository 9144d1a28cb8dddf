import Foundation

/// What a descriptor is able to show: whether it is a terminal, how wide, and whether colour and more than ASCII are welcome.
public struct Terminal: Sendable {
  public let descriptor: Int32
  public let isTerminal: Bool
  /// Knows no escape codes (`TERM=dumb`, or not set).
  public let isDumb: Bool
  /// Colour is welcome: a terminal, not dumb, `NO_COLOR` not set (no-color.org).
  public let colour: Bool
  /// The locale is UTF-8, so that bars and `…` will be seen as such. Texts are UTF-8 whatever this says.
  public let unicode: Bool

  public init(
    descriptor: Int32, environment: [String: String] = ProcessInfo.processInfo.environment
  ) {
    self.descriptor = descriptor
    isTerminal = isatty(descriptor) == 1
    let kind = environment["TERM"] ?? ""
    isDumb = kind.isEmpty || kind == "dumb"
    colour = isTerminal && !isDumb && environment["NO_COLOR", default: ""].isEmpty
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].compactMap { environment[$0] }.first { !$0.isEmpty } ?? ""
    unicode = locale.lowercased().contains("utf-8") || locale.lowercased().contains("utf8")
  }

  public static var standardInput: Terminal { Terminal(descriptor: STDIN_FILENO) }
  public static var standardOutput: Terminal { Terminal(descriptor: STDOUT_FILENO) }
  public static var standardError: Terminal { Terminal(descriptor: STDERR_FILENO) }

  /// Columns of the window as it is now; 80 where there is none.
  public var width: Int {
    var size = winsize()
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  /// The drawing that suits it now; a pipe gets the document's width.
  public var drawing: TerminalDrawing {
    TerminalDrawing(
      width: isTerminal ? width : CanonicalDrawing.width, colour: colour, unicode: unicode || !isTerminal)
  }

  /// Writes all of a text, past interruptions; what a closed pipe does not take is lost.
  public func write(_ text: String) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count > 0 {
        bytes = bytes.dropFirst(count)
      } else if errno == EAGAIN {
        var state = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        _ = poll(&state, 1, 1000)
      } else if errno != EINTR {
        return
      }
    }
  }
}
