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
  private var repeated: [Unicode.Scalar] = []

  init(descriptor: Int32, signals: SelfPipe) {
    self.descriptor = descriptor
    self.signals = signals
  }

  /// Waits for the next of either. Signals come first: one that came before a key is told before it.
  mutating func next() -> Event {
    if !repeated.isEmpty { return .key(repeated.removeFirst()) }
    var bytes: [UInt8] = []
    while true {
      let ready = noted.isEmpty ? waitForInput(of: [signals.reader, descriptor]) : []
      // Asked after the wait, whatever it says: a signal that came with the key was noted while `poll` came back.
      noted += signals.drain()
      if !noted.isEmpty { return .signal(Int32(noted.removeFirst())) }
      guard ready[1] else { continue }
      var byte: UInt8 = 0
      let count = read(descriptor, &byte, 1)
      if count < 0, errno == EINTR || errno == EAGAIN { continue }
      guard count == 1 else { return .end }
      if let scalar = Self.decode(byte, after: &bytes) { return .key(scalar) }
    }
  }

  /// Whether more has been typed already, or comes within some milliseconds: what follows an escape at once is one key with it.
  func hasMore(within milliseconds: Int32) -> Bool {
    !repeated.isEmpty || hasInput(descriptor, within: milliseconds)
  }

  /// Has a key come once more.
  mutating func again(_ scalar: Unicode.Scalar) { repeated.append(scalar) }

  /// Has a signal come once more.
  mutating func again(signal: Int32) { noted.append(UInt8(signal)) }

  /// The rest of a key that began with an escape, with it; `nil` where the escape stands alone or makes another key a Meta key.
  mutating func sequence() -> String? {
    guard let first = scalar(within: 25) else { return nil }
    if first == "\u{1B}", let second = scalar(within: 25) {
      if let rest = sequence(after: second) { return "\u{1B}" + rest }
      repeated = [first, second] + repeated
      return nil
    }
    if let sequence = sequence(after: first) { return sequence }
    repeated.insert(first, at: 0)
    return nil
  }

  /// The sequence of an escape that was read before (ECMA-48, control sequences and single shifts).
  ///
  /// - Parameter introducer: what came behind the escape.
  mutating func sequence(after introducer: Unicode.Scalar) -> String? {
    if introducer == "]" || introducer == "P" { return answer(after: introducer) }
    guard introducer == "[" || introducer == "O", let first = scalar(within: 50) else { return nil }
    var sequence = "\u{1B}" + String(introducer) + String(first)
    if first == "[" || first == "M", introducer == "[" {
      // Function keys of the Linux console; a click of the mouse (X11).
      for _ in 0..<(first == "M" ? 3 : 1) {
        guard let next = scalar(within: 50) else { break }
        sequence.unicodeScalars.append(next)
      }
      return sequence
    }
    var last = first
    while ("\u{20}"..."?").contains(last), let next = scalar(within: 50) {
      sequence.unicodeScalars.append(next)
      last = next
    }
    return sequence
  }

  /// What a terminal answers to a program that has asked it something and is gone: an operating system command or a device
  /// control string, up to its end. `nil` for the Meta keys that begin so.
  private mutating func answer(after introducer: Unicode.Scalar) -> String? {
    guard let first = scalar(within: 25) else { return nil }
    guard ("0"..."9").contains(first) || introducer == "P" && (">"..."|").contains(first) else {
      repeated.insert(first, at: 0)
      return nil
    }
    var answer = "\u{1B}" + String(introducer) + String(first)
    while let next = scalar(within: 50) {
      answer.unicodeScalars.append(next)
      if next == "\u{7}" || answer.hasSuffix("\u{1B}\\") { break }
    }
    return answer
  }

  /// The next scalar, whatever signals come.
  private mutating func scalar(within milliseconds: Int32) -> Unicode.Scalar? {
    if !repeated.isEmpty { return repeated.removeFirst() }
    var bytes: [UInt8] = []
    while hasMore(within: milliseconds) {
      var byte: UInt8 = 0
      guard read(descriptor, &byte, 1) == 1 else { return nil }
      if let scalar = Self.decode(byte, after: &bytes) { return scalar }
    }
    return nil
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

/// Follows libedit's search through the history (Ctrl-R), which takes the escape that an arrow key begins with for its own end
/// and would leave the rest of that key in the line.
struct HistorySearch {
  private(set) var isUnderWay = false

  mutating func end() { isUnderWay = false }

  /// Whether the search is ended by a key that libedit would swallow.
  mutating func isEnded(by key: Unicode.Scalar) -> Bool {
    let wasUnderWay = isUnderWay
    switch key {
    case "\u{12}": isUnderWay = true
    // Forwards, two that rub out, and Ctrl-W, which takes a word more.
    case "\u{13}", "\u{8}", "\u{7F}", "\u{17}": break
    case "\u{0}"..<"\u{20}": isUnderWay = false
    default: break
    }
    return wasUnderWay && key == "\u{1B}"
  }
}
