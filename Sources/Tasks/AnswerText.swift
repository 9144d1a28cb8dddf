import Encoder

/// An answer's text, made of tokens as they come, up to the first of some texts that end it.
package struct AnswerText: Sendable {
  /// What is written so far, without what ended it. UTF-8.
  private var bytes: [UInt8] = []
  private var shown = 0
  private var stream: TextStream
  private let stops: [[UInt8]]
  private let ends: Set<Int32>
  /// Whether it has ended by itself: by a token that ends answers, or at a stop.
  package private(set) var hasEnded = false
  private var isFinished = false

  /// - Parameters:
  ///   - stops: the answer ends before the first of these.
  ///   - ends: the tokens that end an answer.
  package init(_ tokenizer: BytePair, stops: [String], ends: Set<Int32>) {
    stream = tokenizer.textStream()
    self.stops = stops.filter { !$0.isEmpty }.map { Array($0.utf8) }
    self.ends = ends
  }

  package var text: String { String(decoding: bytes, as: UTF8.self) }

  /// Bytes of the text so far.
  package var count: Int { bytes.count }

  /// Takes a token; nothing more is taken once the answer has ended.
  package mutating func append(_ token: Int32) {
    guard !hasEnded else { return }
    if ends.contains(token) {
      bytes += stream.finish().utf8
      hasEnded = true
      return
    }
    let old = bytes.count
    bytes += stream.append(token).utf8
    // A stop that was there before would have ended it: one that is new ends among the new bytes.
    if let stop = stops.compactMap({ place(of: $0, endingAfter: old) }).min() {
      bytes.removeSubrange(stop...)
      hasEnded = true
    }
  }

  /// To be called when no more tokens come.
  package mutating func finish() {
    if !hasEnded { bytes += stream.finish().utf8 }
    isFinished = true
  }

  /// What can be shown and was not taken yet: what may be the beginning of a stop is held back.
  package mutating func take() -> String {
    var end = bytes.count
    if !hasEnded, !isFinished { end -= stops.map(possibleBeginning).max() ?? 0 }
    guard end > shown else { return "" }
    defer { shown = end }
    return String(decoding: bytes[shown..<end], as: UTF8.self)
  }

  private func place(of stop: [UInt8], endingAfter old: Int) -> Int? {
    guard bytes.count >= stop.count, bytes.count > old else { return nil }
    for start in max(0, old - stop.count + 1)...(bytes.count - stop.count) where starts(stop, at: start) {
      return start
    }
    return nil
  }

  private func starts(_ stop: [UInt8], at start: Int) -> Bool {
    bytes[start..<start + stop.count].elementsEqual(stop)
  }

  /// Bytes at the end that the stop may begin with.
  private func possibleBeginning(of stop: [UInt8]) -> Int {
    for length in (0..<stop.count).reversed() where length <= bytes.count {
      if bytes.suffix(length).elementsEqual(stop.prefix(length)) { return length }
    }
    return 0
  }
}
