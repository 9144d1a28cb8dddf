/// Where each of a model's parameters stands in one block of numbers, and which tensor of a file it is.
///
/// Tables come first, then matrices, `[in, out]` and so transposed against a file's `[out, in]`, then vectors (biases, norms,
/// the head): a family places them in this order. The vectors stand together because their gradients are summed over shards,
/// while a matrix's gradient is one product.
package struct ParameterLayout: Sendable {
  /// A stretch of the block.
  package struct Section: Sendable {
    package enum Kind: Sendable { case table, matrix, vector, norm, adapter, head }
    var start: Int
    var count: Int
    var kind: Kind
    /// The layer, from 0 at the bottom; nil for tables and head.
    var layer: Int?
    /// Numbers in a row; nil where the section is no matrix.
    var columns: Int?

    var range: Range<Int> { start..<start + count }

    /// Each small enough to stay in a core's own cache with its gradient and moments.
    var slices: [Slice] {
      let size = max(1, (1 << 16) / (16 * (columns ?? 1))) * 16 * (columns ?? 1)
      return stride(from: 0, to: count, by: size).map {
        Slice(start: start + $0, count: min(size, count - $0), section: self)
      }
    }
  }

  /// A part of a section that one task changes: of a matrix whole rows, sixteen at a time, so that it can be transposed.
  struct Slice: Sendable {
    var start: Int
    var count: Int
    var section: Section
  }

  /// A matrix that products read: y = x w.
  package struct Matrix: Sendable {
    /// Its number among the layout's matrices.
    package let id: Int
    /// Its number among those of its layer: two layers' matrices of one slot have the same sizes.
    package let slot: Int
    package let start: Int
    package let inputs: Int
    package let outputs: Int
  }

  /// Rows that are looked up.
  package struct Table: Sendable {
    /// Which row belongs to a token.
    package enum Index: Sendable {
      /// That of its word.
      case word
      /// Its place in its text.
      case position
      /// Row 0.
      case first
    }
    package let start: Int
    package let rows: Int
    package let columns: Int
    let index: Index
  }

  /// A tensor of a file and where it goes: transposed, every `stride` numbers a new input, or as it is.
  struct FileEntry: Sendable {
    var name: String
    var shape: [Int]
    var start: Int
    /// The distance of two inputs' rows; nil where the tensor is not transposed.
    var stride: Int?
    /// How it begins where no file has it.
    var initial: Initial
  }

  /// How a parameter begins that was not pre-trained.
  package enum Initial: Sendable {
    case zero
    /// Between plus and minus 1 / √inputs, as PyTorch's linear layer.
    case uniform
  }

  /// The linear layer that makes logits of a pooled vector.
  struct HeadPlace: Sendable {
    var weight: Int
    var bias: Int
    var categories: Int
    var hidden: Int
  }

  private(set) var sections: [Section] = []
  private(set) var matrices: [Matrix] = []
  private(set) var tables: [Table] = []
  /// All tensors but the word table's.
  private(set) var entries: [FileEntry] = []
  private(set) var wordTableName = ""
  /// `[vocabulary, hidden]`.
  private(set) var wordTableShape: [Int] = []
  private(set) var head = HeadPlace(weight: 0, bias: 0, categories: 0, hidden: 0)
  /// Where the matrices begin and end.
  private(set) var matrixRange = 0..<0
  package private(set) var count = 0

  /// The stretch of the vectors.
  var vectors: Range<Int> { matrixRange.upperBound..<count }
  /// Its `start` is where the words' rows stand; nil where they stay in the file.
  var wordTable: Table? { tables.first { $0.index == .word && $0.rows > 0 } }

  /// The section that holds number `place`.
  func section(at place: Int) -> Section? { sections.last { $0.start <= place } }
  func section(of matrix: Matrix) -> Section? { section(at: matrix.start) }

  /// The tensors that a file must hold, and their shapes.
  var tensors: [(name: String, shape: [Int])] {
    [(wordTableName, wordTableShape)] + entries.map { ($0.name, $0.shape) }
  }
}

// MARK: - Placing

extension ParameterLayout {
  private mutating func place(_ count: Int, _ kind: Section.Kind, layer: Int? = nil, columns: Int? = nil)
    -> Int
  {
    let start = self.count
    if count > 0 {
      sections.append(Section(start: start, count: count, kind: kind, layer: layer, columns: columns))
    }
    self.count += (count + 15) / 16 * 16  // whole vectors, so that each section begins aligned
    return start
  }

  /// The table of words, of which `rows` are wanted; `vocabulary` are in the file.
  package mutating func placeWords(_ name: String, rows: Int, vocabulary: Int, columns: Int) {
    (wordTableName, wordTableShape) = (name, [vocabulary, columns])
    _ = place(table: rows, columns: columns, by: .word)
  }

  /// Another table, all of whose rows stand in the file.
  package mutating func placeTable(_ name: String, rows: Int, columns: Int, by index: Table.Index) -> Table {
    let table = place(table: rows, columns: columns, by: index)
    file(name, shape: [rows, columns], at: table.start)
    return table
  }

  private mutating func place(table rows: Int, columns: Int, by index: Table.Index) -> Table {
    precondition(matrices.isEmpty && vectors.isEmpty, "tables come first")
    let table = Table(
      start: place(rows * columns, .table), rows: rows, columns: columns, index: index)
    tables.append(table)
    matrixRange = count..<count
    return table
  }

  /// - Parameter slot: as ``Matrix/slot``.
  package mutating func placeMatrix(
    inputs: Int, outputs: Int, layer: Int, slot: Int, isAdapter: Bool = false
  ) -> Matrix {
    precondition(vectors.isEmpty, "matrices come before vectors")
    let matrix = Matrix(
      id: matrices.count, slot: slot,
      start: place(inputs * outputs, isAdapter ? .adapter : .matrix, layer: layer, columns: outputs),
      inputs: inputs, outputs: outputs)
    matrices.append(matrix)
    matrixRange = matrixRange.lowerBound..<count
    return matrix
  }

  /// Returns where it begins.
  /// - Parameters:
  ///   - kind: `.vector`, `.norm` or `.adapter`.
  ///   - layer: nil for what stands below all layers.
  package mutating func placeVector(_ count: Int, _ kind: Section.Kind, layer: Int?) -> Int {
    place(count, kind, layer: layer)
  }

  /// The last that is placed.
  mutating func placeHead(categories: Int, hidden: Int) {
    let weight = place(categories * hidden, .head)
    head = HeadPlace(
      weight: weight, bias: place(categories, .head), categories: categories, hidden: hidden)
  }

  // MARK: Tensors

  /// A tensor that stands in the block as it does in the file; or transposed, every `stride` numbers a new input.
  package mutating func file(
    _ name: String, shape: [Int], at start: Int, transposedBy stride: Int? = nil, initial: Initial = .zero
  ) {
    entries.append(FileEntry(name: name, shape: shape, start: start, stride: stride, initial: initial))
  }

  /// A tensor `[out, in]` that is `outputs` of a matrix's columns, from `column` on: all of them where nothing is said.
  package mutating func file(
    _ name: String, in matrix: Matrix, column: Int = 0, outputs: Int? = nil, initial: Initial = .zero
  ) {
    entries.append(
      FileEntry(
        name: name, shape: [outputs ?? matrix.outputs, matrix.inputs], start: matrix.start + column,
        stride: matrix.outputs, initial: initial))
  }
}
