import CKernels
import Foundation

/// The last step of a language model, on one thread: from states to what may come next.
///
/// The word table is the left matrix and the states are the right one, transposed: so the many rows, which are words, are read in
/// order and once, a stretch of words' logits stays in the near cache until it is dealt with, and there is never a whole
/// row of them.
/// Sendable unchecked: used by one thread at a time.
final class OutputLayer: @unchecked Sendable {
  /// What a state says of the next token.
  struct Forecast {
    /// The most probable one, and its logit.
    var token: Int32
    var most: Float
    /// The sum of all exponentials of the logits' distances from `most`.
    var sum: Float

    /// In nats.
    func logProbability(ofLogit logit: Float) -> Double { Double(logit - most) - log(Double(sum)) }
  }

  /// Logits of neighbouring words, `[words, stride]`: a column a state.
  struct Logits {
    var words: Range<Int>
    let numbers: UnsafePointer<Float>
    let stride: Int

    func callAsFunction(_ word: Int, _ state: Int) -> Float {
      numbers[(word - words.lowerBound) * stride + state]
    }
  }

  /// States that are read at once at most.
  static let statesAtOnce = 256
  private static let wordsAtOnce = 2048

  private let words: EmbeddingTable
  /// `[hidden, vocabulary]`; nil where the word table is multiplied.
  private let matrix: Operand?
  /// The word table for few states; nil where they read the other.
  private var packed: PackedMatrix?
  private let matmul: MatMul
  private let decoded: Floats
  private let gathered: Floats
  private let transposed: Floats
  private let input: OperandStorage
  private let logits = Floats(count: OutputLayer.wordsAtOnce * OutputLayer.statesAtOnce)
  /// `[states, words]`.
  private let few = Floats(count: PackedMatrix.mostRows * OutputLayer.wordsAtOnce)
  private let most = Floats(count: OutputLayer.statesAtOnce)
  private let sums = Floats(count: OutputLayer.statesAtOnce)
  private var best = [Int32](repeating: 0, count: OutputLayer.statesAtOnce)

  /// Numbers that one of them takes.
  static func numbers(hidden: Int) -> Int {
    statesAtOnce * (3 * hidden + wordsAtOnce + 3) + wordsAtOnce * (hidden + PackedMatrix.mostRows)
  }

  private var vocabulary: Int { words.vocabulary }
  private var hidden: Int { words.hidden }

  init(_ words: EmbeddingTable, matrix: Operand?, packed: PackedMatrix?) throws {
    (self.words, self.matrix) = (words, matrix)
    let hidden = words.hidden
    matmul = try MatMul()
    decoded = words.scratch(rows: matrix == nil ? Self.wordsAtOnce : 0)
    gathered = Floats(count: Self.statesAtOnce * hidden)
    transposed = Floats(count: Self.statesAtOnce * hidden)
    input = OperandStorage(count: Self.statesAtOnce * hidden, dtype: words.dtype)
    if let packed, try agrees(packed) { self.packed = packed }
  }

  /// Whether both word tables give the same logits on this CPU.
  private func agrees(_ packed: PackedMatrix) throws -> Bool {
    let states = 3
    let words = 0..<min(Self.wordsAtOnce, vocabulary)
    var random = RandomNumbers(seed: 0)
    for place in 0..<states * hidden { gathered.base[place] = random.uniform() - 0.5 }
    let columns = transpose(states)
    try multiply(words, columns)
    let expected = logits.array
    multiply(words, states, columns, by: packed)
    return words.allSatisfy { word in
      (0..<states).allSatisfy { state in
        logits.base[word * columns + state].bitPattern == expected[word * columns + state].bitPattern
      }
    }
  }

  /// What is gathered, as products read it. Returns its columns: whole vectors of states; what is too much is never looked at.
  private func transpose(_ states: Int) -> Int {
    let columns = (states + 15) / 16 * 16
    let scratch = input.operand.scratch(transposed)
    fettle_transpose(gathered.base, hidden, scratch, columns, columns, hidden)
    input.operand.store(scratch, count: columns * hidden)
    return columns
  }

  /// The logits of some words.
  private func multiply(_ words: Range<Int>, _ columns: Int) throws {
    let first = words.lowerBound
    if let matrix {
      try matmul.gradient(
        matrix, input.operand, into: logits.base - first * columns, adding: false, part: words, rows: hidden,
        k: vocabulary, columns: columns)
    } else {
      try matmul.forward(
        self.words(words, in: decoded), input.operand, into: logits.base, rows: words.count, k: hidden,
        columns: columns)
    }
  }

  private func multiply(_ words: Range<Int>, _ states: Int, _ columns: Int, by packed: PackedMatrix) {
    packed.multiply(
      gathered.base, into: few.base, stride: Self.wordsAtOnce, columns: words, rows: states)
    fettle_transpose(few.base, Self.wordsAtOnce, logits.base, columns, states, words.count)
  }

  /// Of each of these rows of states, `[…, hidden]`, what comes next; at most `statesAtOnce`.
  /// - Parameters:
  ///   - wantsSums: else the forecasts' sums are 0.
  ///   - body: sees the logits, some words after others.
  func read(
    _ states: FloatPointer, _ rows: [Int], wantsSums: Bool, _ body: (Logits) -> Void = { _ in }
  ) throws -> [Forecast] {
    for (place, row) in rows.enumerated() {
      (gathered.base + place * hidden).update(from: states + row * hidden, count: hidden)
    }
    let columns = transpose(rows.count)
    most.base.update(repeating: -.infinity, count: columns)
    sums.base.update(repeating: 0, count: columns)
    for first in stride(from: 0, to: vocabulary, by: Self.wordsAtOnce) {
      let range = first..<min(first + Self.wordsAtOnce, vocabulary)
      if rows.count <= PackedMatrix.mostRows, let packed {
        multiply(range, rows.count, columns, by: packed)
      } else {
        try multiply(range, columns)
      }
      fettle_add_logits(
        logits.base, range.count, columns, Int32(first), &best, most.base, wantsSums ? sums.base : nil)
      body(Logits(words: range, numbers: logits.base, stride: columns))
    }
    for column in rows.indices where !most.base[column].isFinite {
      throw ModelError.notANumber(where: "what the model makes of a text")
    }
    return rows.indices.map { Forecast(token: best[$0], most: most.base[$0], sum: sums.base[$0]) }
  }
}
