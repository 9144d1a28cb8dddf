import CKernels

/// A language model's word table, `[vocabulary, hidden]`, as the products read it that make logits of states.
///
/// Where it does not learn it stays in the model's file, and rows are decoded when they are read: in f32 they take nearly four times
/// the room of Q8_0, and a product costs much more than decoding what it reads. Rounded to bf16 it stands in memory.
final class EmbeddingTable: Sendable {
  let vocabulary: Int
  let hidden: Int
  let dtype: DType
  private let table: Tensor
  private let pool: ThreadPool
  private let rounded: OperandStorage?

  /// Rows that one task takes.
  private static let rowsInTask = 2048

  /// - Parameter isMultiplied: false where another matrix makes the logits.
  /// - Throws: `ModelError.notANumber`.
  init(_ parameters: ParameterStore, isMultiplied: Bool, pool: ThreadPool) throws {
    table = parameters.wordTable
    (vocabulary, hidden, dtype) = (table.shape[0], table.shape[1], parameters.dtype)
    self.pool = pool
    rounded =
      isMultiplied && dtype != .f32 ? OperandStorage(count: vocabulary * hidden, dtype: dtype) : nil
    guard try read() else { throw ModelError.notANumber(where: "the model's embeddings") }
  }

  /// Takes over a table that steps have changed.
  func refresh() throws {
    if rounded != nil { _ = try read() }
  }

  /// Whether all are numbers.
  private func read() throws -> Bool {
    let starts = Array(stride(from: 0, to: vocabulary, by: Self.rowsInTask))
    var isFinite = [Bool](repeating: true, count: starts.count)
    try isFinite.withUnsafeMutableBufferPointer { isFinite in
      try pool.run(starts.count) { task, _ in
        let rows = starts[task]..<min(starts[task] + Self.rowsInTask, vocabulary)
        let count = rows.count * hidden
        let decoded = Floats(count: table.floats == nil ? count : 0)
        withExtendedLifetime(decoded) {
          let numbers = numbers(of: rows, in: decoded)
          isFinite[task] = fettle_sum_of_squares(numbers, count).isFinite
          rounded?.operand.advanced(by: rows.lowerBound * hidden).store(numbers, count: count)
        }
      }
    }
    return isFinite.allSatisfy(\.self)
  }

  private func numbers(of rows: Range<Int>, in scratch: Floats) -> FloatPointer {
    // Nobody writes what a product reads.
    if let floats = table.floats { return FloatPointer(mutating: floats + rows.lowerBound * hidden) }
    table.copy(from: rows.lowerBound * hidden, count: rows.count * hidden, to: scratch.base)
    return scratch.base
  }

  /// A thread's memory for up to `rows` of them.
  func scratch(rows: Int) -> Floats {
    Floats(count: rounded == nil && table.floats == nil ? rows * hidden : 0)
  }

  /// Rows `rows`, until the scratch memory is used again.
  func callAsFunction(_ rows: Range<Int>, in scratch: Floats) -> Operand {
    rounded?.operand.advanced(by: rows.lowerBound * hidden)
      ?? Operand(base: UnsafeMutableRawPointer(numbers(of: rows, in: scratch)), dtype: .f32)
  }
}
