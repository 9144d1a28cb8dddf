import Foundation
import Synchronization

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
  /// The first failure to write, of this value and all its copies.
  private let loss = Loss()

  private final class Loss: Sendable {
    let number = Mutex<Int32>(0)
  }

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

  public static var standardOutput: Terminal { Terminal(descriptor: STDOUT_FILENO) }
  public static var standardError: Terminal { Terminal(descriptor: STDERR_FILENO) }

  /// Columns of the window as it is now; 80 where there is none.
  public var width: Int { size.map { Int($0.ws_col) }.flatMap { $0 > 0 ? $0 : nil } ?? 80 }

  /// Rows of the window as it is now; 24 where there is none.
  public var height: Int { size.map { Int($0.ws_row) }.flatMap { $0 > 0 ? $0 : nil } ?? 24 }

  private var size: winsize? {
    var size = winsize()
    return ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 ? size : nil
  }

  /// The drawing that suits it now; a pipe gets the document's width.
  public var drawing: TerminalDrawing {
    TerminalDrawing(
      width: isTerminal ? width : CanonicalDrawing.width, colour: colour, unicode: unicode || !isTerminal)
  }

  /// Why some of what was written is lost; nil where nothing is, or where a pipe's reader wanted no more (`| head`).
  public var failure: Diagnostic? {
    let number = loss.number.withLock { $0 }
    guard number != 0, number != EPIPE else { return nil }
    let why =
      switch number {
      case ENOSPC, EDQUOT, EFBIG: "the disk it goes to is full. Make room"
      case EBADF: "it is closed. Open it"
      default: "the system's number for why is \(number). Look at where it goes"
      }
    return Diagnostic(
      code: "cannot-write", message: "Standard output cannot be written: \(why), or send it elsewhere.")
  }

  /// Opens what is closed of standard input, output and error, so that writing there fails and no file of ours, which would
  /// get the free number, is written in its place.
  public static func reserveStandardStreams() {
    while true {
      let descriptor = open("/dev/null", O_RDONLY)
      guard descriptor >= 0 else { return }
      guard descriptor <= STDERR_FILENO else {
        close(descriptor)
        return
      }
    }
  }

  /// Writes all of a text, past interruptions; what is not taken is lost, and `failure` says why.
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
        let number = errno
        loss.number.withLock { if $0 == 0 { $0 = number } }
        return
      }
    }
  }
}
