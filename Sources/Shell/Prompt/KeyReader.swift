import Foundation

/// The keys of a terminal, one scalar at a time, and the signals that come between them.
struct KeyReader {
  enum Event: Equatable {
    case key(Unicode.Scalar)
    /// A signal's number, or `wake` for a thread that has something to say.
    case signal(Int32)
    case end
  }

  /// What a thread writes to the pipe to be heard.
  static let wake: UInt8 = 0

  let descriptor: Int32
  let signals: SelfPipe
  private var noted: [UInt8] = []

  init(descriptor: Int32, signals: SelfPipe) {
    self.descriptor = descriptor
    self.signals = signals
  }

  /// Waits for the next of either. Signals come first: one that came before a key is told before it.
  mutating func next() -> Event {
    var bytes: [UInt8] = []
    while true {
      var states = [
        pollfd(fd: signals.reader, events: Int16(POLLIN), revents: 0),
        pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
      ]
      if noted.isEmpty { _ = poll(&states, 2, -1) }
      // Asked after the wait, whatever it says: a signal that came with the key was noted while `poll` came back.
      noted += signals.drain()
      if !noted.isEmpty { return .signal(Int32(noted.removeFirst())) }
      guard states[1].revents != 0 else { continue }
      var byte: UInt8 = 0
      let count = read(descriptor, &byte, 1)
      if count < 0, errno == EINTR || errno == EAGAIN { continue }
      guard count == 1 else { return .end }
      if let scalar = Self.decode(byte, after: &bytes) { return .key(scalar) }
    }
  }

  /// The scalar that a byte completes. Bytes that are no UTF-8 are passed over.
  static func decode(_ byte: UInt8, after bytes: inout [UInt8]) -> Unicode.Scalar? {
    if byte & 0xC0 != 0x80 { bytes = [] } else if bytes.isEmpty { return nil }
    bytes.append(byte)
    guard let first = bytes.first else { return nil }
    let length =
      first < 0x80 ? 1 : first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0
    guard length > 0 else {
      bytes = []
      return nil
    }
    guard bytes.count == length else { return nil }
    defer { bytes = [] }
    return String(validating: bytes, as: UTF8.self)?.unicodeScalars.first
  }
}
