import CKernels
import Foundation
import Synchronization

/// A model's parameters as its network reads them: tables and vectors in f32, matrices as products read them.
///
/// What learns stands in f32, and beside it what is made of that anew after each step. What does not learn stands once, in the
/// type that products read, and has neither gradient nor moments.
package final class ParameterStore: Sendable {
  let layout: ParameterLayout
  /// Of the operands.
  let dtype: DType
  /// The number of the layout that the gradients and moments begin with: from here on some section learns.
  let firstLearned: Int
  /// f32, up to the first matrix.
  private let tables: Floats
  /// f32, from number `first` on to the end.
  private let numbers: Floats
  private let first: Int
  /// All matrices in bf16; nil where products read f32.
  private let rounded: OperandStorage?
  /// All matrices `[out, in]`; nil where the backward pass transposes them while it reads. oneDNN's product with a matrix that it
  /// must transpose is a sixth slower in f32; in bf16 there is no difference.
  private let transposed: Floats?
  /// Of the layout's matrices, those that a file holds in few bits; empty where products of few rows read the others.
  private let packed: [PackedMatrix?]
  /// `[words, hidden]`: a view of the rows that are laid out, which steps may change; or, where none are, all as they stand in the
  /// model's file.
  let wordTable: Tensor

  /// Lays out the model's parameters.
  /// - Parameters:
  ///   - words: rows of the word table that are to be laid out, in the order they are to stand in.
  ///   - learns: whether any step may change a section.
  ///   - goesBack: whether a backward pass will read the matrices.
  ///   - goesOn: whether products of few rows are to be fast.
  /// - Throws: `ModelError.notANumber`.
  init(
    _ model: PretrainedModel, _ layout: ParameterLayout, words: [Int32] = [], dtype: DType,
    learns: (ParameterLayout.Section) -> Bool = { _ in false }, goesBack: Bool = false, goesOn: Bool = false,
    pool: ThreadPool
  ) throws {
    self.layout = layout
    self.dtype = dtype
    let matrices = layout.matrixRange
    // The vectors' gradients are summed as one stretch, whichever of them learn.
    firstLearned = min(
      layout.sections.first(where: learns)?.start ?? matrices.upperBound, matrices.upperBound)
    first = dtype == .f32 ? matrices.lowerBound : max(matrices.lowerBound, firstLearned)
    tables = Floats(count: matrices.lowerBound)
    numbers = Floats(count: layout.count - first)
    rounded = dtype == .f32 ? nil : OperandStorage(count: matrices.count, dtype: dtype)
    transposed = goesBack && dtype == .f32 ? Floats(count: matrices.count) : nil
    packed = goesOn && dtype == .f32 && MatMul.rowsAreIndependent ? try Self.pack(model, layout, pool) : []
    guard let table = model.tensors[layout.wordTableName] else {
      throw ModelError.missingTensor(layout.wordTableName)
    }
    if let place = layout.wordTable {
      wordTable = Tensor(
        shape: [place.rows, place.columns], type: .f32,
        bytes: UnsafeRawBufferPointer(
          start: tables.base + place.start, count: 4 * place.rows * place.columns),
        owner: tables)
    } else {
      wordTable = table
    }
    try read(model, words, of: table, pool)
  }

  private static func pack(_ model: PretrainedModel, _ layout: ParameterLayout, _ pool: ThreadPool) throws
    -> [PackedMatrix?]
  {
    let entries = Dictionary(grouping: layout.entries) { layout.section(at: $0.start)?.start ?? 0 }
    func tensors(_ matrix: ParameterLayout.Matrix) -> [(tensor: Tensor, column: Int)] {
      (entries[matrix.start] ?? []).compactMap { entry in
        model.tensors[entry.name].map { ($0, entry.start - matrix.start) }
      }
    }
    let made = Mutex([PackedMatrix?](repeating: nil, count: layout.matrices.count))
    try pool.run(layout.matrices.count) { task, _ in
      let matrix = layout.matrices[task]
      let packed = PackedMatrix(tensors(matrix), inputs: matrix.inputs, outputs: matrix.outputs)
      made.withLock { $0[task] = packed }
    }
    let packed = made.withLock { $0 }
    // One of each size is tried.
    let matmul = try MatMul()
    var tried: Set<[Int]> = []
    for case (let matrix, let found?) in zip(layout.matrices, packed)
    where tried.insert([matrix.inputs, matrix.outputs]).inserted {
      let whole = Floats(count: matrix.inputs * matrix.outputs)
      for (tensor, column) in tensors(matrix) {
        tensor.copyTransposed(to: whole.base + column, stride: matrix.outputs)
      }
      let operand = Operand(base: UnsafeMutableRawPointer(whole.base), dtype: .f32)
      guard try found.agrees(with: operand, matmul) else { return [] }
    }
    return packed
  }

  /// What a product of few rows reads of `matrix`, which gives the same numbers; nil where it reads the operand.
  func packed(_ matrix: ParameterLayout.Matrix) -> PackedMatrix? {
    packed.isEmpty ? nil : packed[matrix.id]
  }

  private func read(_ model: PretrainedModel, _ words: [Int32], of table: Tensor, _ pool: ThreadPool) throws {
    let sections = layout.sections
    let entries = Dictionary(grouping: layout.entries) { layout.section(at: $0.start)?.start ?? 0 }
    var isFinite = [Bool](repeating: true, count: sections.count)
    try isFinite.withUnsafeMutableBufferPointer { isFinite in
      try pool.run(sections.count) { task, _ in
        let section = sections[task]
        // A matrix that does not learn is only ever read as an operand.
        let own = isInFloats(section.start) ? nil : Floats(count: section.count)
        defer { withExtendedLifetime(own) {} }
        let target = own?.base ?? self[section.start]
        for entry in entries[section.start] ?? [] {
          guard let tensor = model.tensors[entry.name] else { throw ModelError.missingTensor(entry.name) }
          let start = target + (entry.start - section.start)
          if let stride = entry.stride {
            tensor.copyTransposed(to: start, stride: stride)
          } else {
            tensor.copy(count: tensor.count, to: start)
          }
        }
        if section.start == layout.wordTable?.start {
          for (row, word) in words.enumerated() {
            table.copy(row: Int(word), to: target + row * table.shape[1])
          }
        }
        isFinite[task] = fettle_sum_of_squares(target, section.count).isFinite
        for slice in section.slices { prepare(slice, target + (slice.start - section.start)) }
      }
    }
    if let place = isFinite.firstIndex(of: false) {
      throw ModelError.notANumber(
        where: sections[place].layer.map { "layer \($0) of the model" } ?? "the model's embeddings")
    }
  }

  private func isInFloats(_ place: Int) -> Bool { place < layout.matrixRange.lowerBound || place >= first }

  /// The number at `place` and those behind it, of a section that stands in f32: all but matrices that do not learn.
  package subscript(place: Int) -> FloatPointer {
    place < layout.matrixRange.lowerBound ? tables.base + place : numbers.base + (place - first)
  }

  /// What a product reads of `matrix`, `[in, out]`.
  func operand(_ matrix: ParameterLayout.Matrix) -> Operand {
    rounded?.operand.advanced(by: matrix.start - layout.matrixRange.lowerBound)
      ?? Operand(base: UnsafeMutableRawPointer(self[matrix.start]), dtype: .f32)
  }

  /// The same `[out, in]`; nil where a product is to transpose it while it reads.
  func transposedOperand(_ matrix: ParameterLayout.Matrix) -> Operand? {
    transposed.map { transposed in
      Operand(
        base: UnsafeMutableRawPointer(transposed.base + (matrix.start - layout.matrixRange.lowerBound)),
        dtype: .f32)
    }
  }

  /// Makes what products read of numbers that have changed.
  func prepare(_ slice: ParameterLayout.Slice) { prepare(slice, self[slice.start]) }

  private func prepare(_ slice: ParameterLayout.Slice, _ numbers: FloatPointer) {
    guard let columns = slice.section.columns else { return }
    let matrices = layout.matrixRange.lowerBound
    rounded?.operand.advanced(by: slice.start - matrices).store(numbers, count: slice.count)
    if let transposed {
      let row = (slice.start - slice.section.start) / columns
      fettle_transpose(
        numbers, columns, transposed.base + (slice.section.start - matrices) + row,
        slice.section.count / columns, slice.count / columns, columns)
    }
  }

  var isFinite: Bool {
    fettle_sum_of_squares(tables.base, tables.count).isFinite
      && fettle_sum_of_squares(numbers.base, numbers.count).isFinite
  }

  // MARK: What learns

  /// A copy of all that learns, for `restore`.
  func copyOfLearned() -> Floats {
    let copy = Floats(count: layout.count - firstLearned)
    moveLearned { place, count in (copy.base + (place - firstLearned)).update(from: self[place], count: count)
    }
    return copy
  }

  func restore(_ copy: Floats) {
    moveLearned { place, count in self[place].update(from: copy.base + (place - firstLearned), count: count) }
  }

  private func moveLearned(_ move: (_ place: Int, _ count: Int) -> Void) {
    let end = layout.matrixRange.lowerBound
    if firstLearned < end { move(firstLearned, end - firstLearned) }
    let start = max(firstLearned, end)
    move(start, layout.count - start)
  }

  /// The head's part.
  var head: Head {
    let place = layout.head
    func numbers(_ start: Int, _ count: Int) -> [Float] {
      Array(UnsafeBufferPointer(start: self[start], count: count))
    }
    return Head(
      weight: numbers(place.weight, place.categories * place.hidden),
      bias: numbers(place.bias, place.categories))
  }

  func set(_ head: Head) {
    let place = layout.head
    precondition(head.categories == place.categories, "a head for other categories")
    self[place.weight].update(from: head.weight, count: head.weight.count)
    self[place.bias].update(from: head.bias, count: head.bias.count)
  }
}
