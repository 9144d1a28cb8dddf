/// Why a transfer did not succeed.
///
/// `detail` is what libcurl or the system says of it, for a log; the `description` is in our own words without it.
public enum HTTPError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Not an address that begins with `http://` or `https://`.
  case badAddress(String)
  /// The name of the server, or of the proxy, is not known.
  case unknownHost(String, detail: String)
  /// Nothing answered at the server's address.
  case cannotConnect(host: String, detail: String)
  /// No connection came about in time.
  case connectingTookTooLong(host: String, seconds: Double)
  /// No encrypted connection could be agreed on, or the server's certificate is not to be trusted.
  case notTrusted(host: String, detail: String)
  /// The server answered with a status that brings no file.
  case status(Int, address: String)
  /// The server sends elsewhere too often, or to what is neither http nor https.
  case badRedirect(host: String)
  /// What answers is no web server.
  case notHTTP(host: String)
  /// What the server sends is longer or shorter than the file.
  case otherFile(host: String, expected: Int64)
  /// The connection ended before the file did; what came is kept.
  case connectionLost(host: String, received: Int64, total: Int64?)
  /// Nothing came for that long; what came is kept.
  case stalled(host: String, seconds: Int)
  /// The file cannot be written.
  case cannotWrite(file: String, detail: String)
  /// The disk is full.
  case diskFull(file: String)
  /// Another process downloads to the same file.
  case busy(file: String)
  /// The user stopped it; what came is kept.
  case cancelled
  /// Anything else.
  case failed(host: String, detail: String)

  /// A stable name for programs.
  public var code: String {
    switch self {
    case .badAddress: "bad-address"
    case .unknownHost: "unknown-host"
    case .cannotConnect: "cannot-connect"
    case .connectingTookTooLong: "connect-timeout"
    case .notTrusted: "not-trusted"
    case .status: "http-status"
    case .badRedirect: "bad-redirect"
    case .notHTTP: "not-http"
    case .otherFile: "other-file"
    case .connectionLost: "connection-lost"
    case .stalled: "stalled"
    case .cannotWrite: "cannot-write"
    case .diskFull: "disk-full"
    case .busy: "busy"
    case .cancelled: "cancelled"
    case .failed: "transfer-failed"
    }
  }

  /// What libcurl or the system says, where it says anything.
  public var detail: String? {
    switch self {
    case .unknownHost(_, let detail), .cannotConnect(_, let detail), .notTrusted(_, let detail),
      .cannotWrite(_, let detail), .failed(_, let detail):
      detail
    default: nil
    }
  }

  public var description: String {
    switch self {
    case .badAddress(let address):
      "\"\(address)\" is not a web address. Give one that begins with http:// or https://."
    case .unknownHost(let host, _):
      "The server \(host) is not known here. Check the network connection and the spelling, then try again."
    case .cannotConnect(let host, _):
      "The server \(host) cannot be reached. Check the network connection, then try again."
    case .connectingTookTooLong(let host, let seconds):
      "The server \(host) did not answer within \(Self.drawn(seconds)). "
        + "Check the network connection, then try again."
    case .notTrusted(let host, _):
      "There is no trusted connection to \(host). Check the computer's date and, "
        + "in a network that asks for a login, log in first."
    case .status(let status, let address):
      "The server answered \(status)\(Self.meaning(of: status)) for \(address). \(Self.advice(on: status))"
    case .badRedirect(let host):
      "The server \(host) sends the request in a circle or away from the web. "
        + "In a network that asks for a login, log in first."
    case .notHTTP(let host):
      "What answers at \(host) is no web server. In a network that asks for a login, log in first; then try again."
    case .otherFile(let host, let expected):
      "What \(host) sends is another file: the one that was asked for has \(expected) bytes. "
        + "In a network that asks for a login, log in first; then try again."
    case .connectionLost(let host, let received, let total):
      "The connection to \(host) ended after \(received)\(total.map { " of \($0)" } ?? "") bytes. "
        + "What came is kept: try again, and it goes on from there."
    case .stalled(let host, let seconds):
      "Nothing came from \(host) for \(Self.drawn(Double(seconds))). "
        + "What came is kept: try again, and it goes on from there."
    case .cannotWrite(let file, _):
      "The file \(file) cannot be written. Check that its folder exists and is yours to write to."
    case .diskFull(let file):
      "The disk is full, so \(file) cannot be written. Make room, then try again: it goes on from there."
    case .busy(let file):
      "Another fettle is downloading \(file). Wait until it is done."
    case .cancelled: "The download was stopped. What came is kept: try again, and it goes on from there."
    case .failed(let host, _): "The transfer from \(host) failed. Try again."
    }
  }

  private static func drawn(_ seconds: Double) -> String {
    seconds == 1
      ? "1 second" : seconds == seconds.rounded() ? "\(Int(seconds)) seconds" : "\(seconds) seconds"
  }

  private static func meaning(of status: Int) -> String {
    switch status {
    case 401, 403: " (not allowed)"
    case 404, 410: " (not there)"
    case 407: " (the proxy wants a login)"
    case 429: " (too many requests)"
    case 500...: " (trouble of its own)"
    default: ""
    }
  }

  private static func advice(on status: Int) -> String {
    switch status {
    case 429, 500...: "Try again in a few minutes."
    case 407: "Give user and password in the variable https_proxy."
    default: "Check the address."
    }
  }
}
