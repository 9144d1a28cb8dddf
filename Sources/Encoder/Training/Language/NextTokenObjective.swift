import CKernels
import Foundation

/// What a language model is trained for: the cross-entropy of the tokens that are to be written.
///
/// The output matrix has as many rows as there are tokens, so it is gone over in blocks of tokens, and over a few positions at a
/// time: their logits are never in memory all at once.
final class NextTokenObjective {
  private let parameters: ParameterStore
  private let pool: ThreadPool
  private let matmul: [MatMul]
  private let hidden: Int
  private let vocabulary: Int
  /// `[hidden, vocabulary]`; nil where the word table is the output matrix.
  private let matrix: ParameterLayout.Matrix?
  private let words: EmbeddingTable
  /// Of each thread.
  private let decoded: [Floats]
  private let blocks: [Range<Int>]

  private let states: OperandStorage
  /// Of each block, `[positions, block]`, one block behind another; and the same rounded.
  private let logits: Floats
  private let roundedLogits: OperandStorage?
  /// `[blocks, positions]`.
  private let maxima: Floats
  private let sums: Floats
  private let normalisers: Floats
  /// `[blocks, positions, hidden]`: what each block adds to the gradient of the states.
  private let parts: Floats

  static let positions = 64
  static let tokensInBlock = 4096

  init(
    _ parameters: ParameterStore, _ words: EmbeddingTable, matrix: ParameterLayout.Matrix?, pool: ThreadPool
  )
    throws
  {
    self.parameters = parameters
    self.pool = pool
    self.matrix = matrix
    self.words = words
    (hidden, vocabulary) = (words.hidden, words.vocabulary)
    decoded = (0..<pool.count).map { _ in words.scratch(rows: matrix == nil ? Self.tokensInBlock : 0) }
    matmul = try (0..<pool.count).map { _ in try MatMul() }
    let dtype = parameters.dtype
    // A matrix of its own is read as a whole, as its rows are the states' numbers.
    let size = matrix == nil ? Self.tokensInBlock : vocabulary
    let vocabulary = vocabulary
    blocks = stride(from: 0, to: vocabulary, by: size).map { $0..<min($0 + size, vocabulary) }
    states = OperandStorage(count: Self.positions * hidden, dtype: dtype)
    logits = Floats(count: Self.positions * vocabulary)
    roundedLogits = dtype == .f32 ? nil : OperandStorage(count: Self.positions * vocabulary, dtype: dtype)
    maxima = Floats(count: blocks.count * Self.positions)
    sums = Floats(count: blocks.count * Self.positions)
    normalisers = Floats(count: Self.positions)
    parts = Floats(count: blocks.count * Self.positions * hidden)
  }

  /// Returns the sum of the losses, in nats; the gradients are of `scale` times that.
  /// - Parameters:
  ///   - given: `[targets, hidden]`.
  ///   - gradient: takes that of the states.
  ///   - gradients: laid out as the parameters are; the output matrix's are added to; nil where it does not learn.
  ///   - adding: whether a matrix of its own is added to.
  func lossAndGradient(
    _ given: FloatPointer, targets: [Int32], scale: Float, gradient: FloatPointer, gradients: FloatPointer?,
    adding: Bool
  ) throws -> Double {
    var loss = 0.0
    for start in stride(from: 0, to: targets.count, by: Self.positions) {
      let part = Array(targets[start..<min(start + Self.positions, targets.count)])
      loss += try chunk(
        given + start * hidden, part, scale, gradient + start * hidden, gradients,
        adding: adding || start > 0)
    }
    return loss
  }

  private func chunk(
    _ given: FloatPointer, _ targets: [Int32], _ scale: Float, _ gradient: FloatPointer,
    _ gradients: FloatPointer?, adding: Bool
  ) throws -> Double {
    let rows = targets.count
    states.operand.store(given, count: rows * hidden)
    try pool.run(blocks.count) { task, worker in
      let block = blocks[task]
      let own = logits.base + block.lowerBound * rows
      if let matrix {
        try matmul[worker].forward(
          states.operand, parameters.operand(matrix), into: own, rows: rows, k: hidden, columns: vocabulary)
      } else {
        try matmul[worker].backward(
          states.operand, words(block, in: decoded[worker]), into: own, rows: rows, k: block.count,
          columns: hidden)
      }
      fettle_softmax_block(
        own, maxima.base + task * rows, sums.base + task * rows, rows, block.count)
    }
    let loss = normalise(targets)
    try pool.run(blocks.count) { task, worker in
      let block = blocks[task]
      let own = logits.base + block.lowerBound * rows
      fettle_softmax_block_gradient(own, normalisers.base, scale, rows, block.count)
      for (row, target) in targets.enumerated() where block.contains(Int(target)) {
        own[row * block.count + Int(target) - block.lowerBound] -= scale
      }
      let operand =
        roundedLogits?.operand.advanced(by: block.lowerBound * rows)
        ?? Operand(base: UnsafeMutableRawPointer(own), dtype: .f32)
      operand.store(own, count: rows * block.count)
      let part = parts.base + task * rows * hidden
      if let matrix {
        try matmul[worker].backward(
          operand, parameters.operand(matrix), into: part, rows: rows, k: hidden, columns: vocabulary)
        if let gradients {
          try matmul[worker].gradient(
            states.operand, operand, into: gradients + matrix.start, adding: adding, part: 0..<hidden,
            rows: rows, k: hidden, columns: vocabulary)
        }
      } else {
        try matmul[worker].forward(
          operand, words(block, in: decoded[worker]), into: part, rows: rows, k: block.count, columns: hidden)
        if let gradients, let table = parameters.layout.wordTable {
          try matmul[worker].gradient(
            operand, states.operand, into: gradients + table.start + block.lowerBound * hidden, adding: true,
            part: 0..<block.count, rows: rows, k: block.count, columns: hidden)
        }
      }
    }
    memset(gradient, 0, rows * hidden * 4)
    for block in blocks.indices {
      let part = parts.base + block * rows * hidden
      for i in 0..<rows * hidden { gradient[i] += part[i] }
    }
    return loss
  }

  /// The logarithm of each position's sum over all blocks, left in `normalisers`; returns the sum of the losses.
  private func normalise(_ targets: [Int32]) -> Double {
    let rows = targets.count
    var loss = 0.0
    for (row, target) in targets.enumerated() {
      let most = blocks.indices.lazy.map { self.maxima.base[$0 * rows + row] }.max() ?? 0
      let sum = blocks.indices.reduce(0.0) {
        $0 + Double(sums.base[$1 * rows + row]) * exp(Double(maxima.base[$1 * rows + row] - most))
      }
      let normaliser = Double(most) + log(sum)
      normalisers.base[row] = Float(normaliser)
      guard let block = blocks.first(where: { $0.contains(Int(target)) }) else { continue }
      let logit = logits.base[block.lowerBound * rows + row * block.count + Int(target) - block.lowerBound]
      loss += normaliser - Double(logit)
    }
    return loss
  }
}
