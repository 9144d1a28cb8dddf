import CKernels
import Foundation

/// A piece of the work that makes gradients of what the shards of a micro-batch have left.
enum GradientTask {
  /// Rows `part` of a matrix: dw = xᵀ dy over all rows of the micro-batch.
  case matrix(ParameterLayout.Matrix, part: Range<Int>)
  /// A stretch of the vectors: the shards' gradients summed in the shards' order.
  case vectors(Range<Int>)
  /// Rows of a table.
  case table(ParameterLayout.Table, rows: Range<Int>)

  /// About as many weights as one task takes of a matrix.
  private static let weightsInPart = 300_000
  private static let wordsInPart = 512

  static func all(_ layout: ParameterLayout, _ scope: TrainableScope) -> [GradientTask] {
    func learns(_ start: Int) -> Bool { layout.section(at: start).map(scope.includes) ?? false }
    var tasks: [GradientTask] = []
    for matrix in layout.matrices where learns(matrix.start) {
      let parts = max(1, matrix.inputs * matrix.outputs / weightsInPart)
      let rows = (matrix.inputs + parts - 1) / parts
      for start in stride(from: 0, to: matrix.inputs, by: rows) {
        tasks.append(.matrix(matrix, part: start..<min(start + rows, matrix.inputs)))
      }
    }
    for table in layout.tables where table.rows > 0 && learns(table.start) {
      let rows = table.index == .word ? wordsInPart : table.rows
      for start in stride(from: 0, to: table.rows, by: rows) {
        tasks.append(.table(table, rows: start..<min(start + rows, table.rows)))
      }
    }
    for start in stride(from: layout.vectors.lowerBound, to: layout.vectors.upperBound, by: 8192) {
      tasks.append(.vectors(start..<min(start + 8192, layout.vectors.upperBound)))
    }
    return tasks
  }

  /// `into` is laid out as the parameters are. `adding`: to what an earlier micro-batch of the batch left there.
  func run(
    into gradients: FloatPointer, layout: ParameterLayout, memory: BatchMemory,
    microBatch: BatchPlan.MicroBatch, examples: [TrainingExample], adding: Bool, matmul: MatMul
  ) throws {
    func clear(_ start: Int, _ count: Int) {
      if !adding { memset(gradients + start, 0, count * 4) }
    }
    switch self {
    case .matrix(let matrix, let part):
      let saved = memory.products.products(from: 0)
      guard let input = saved.input(of: matrix), let gradient = saved.outputGradient(of: matrix) else {
        preconditionFailure("a matrix that was not to learn")
      }
      try matmul.gradient(
        input, gradient, into: gradients + matrix.start, adding: adding, part: part, rows: microBatch.rows,
        k: matrix.inputs, columns: matrix.outputs)
    case .vectors(let range):
      clear(range.lowerBound, range.count)
      for shard in microBatch.shards.indices {
        let from = memory.shardVectors[shard].base - layout.vectors.lowerBound
        for i in range { gradients[i] += from[i] }
      }
    case .table(let table, let rows):
      clear(table.start + rows.lowerBound * table.columns, rows.count * table.columns)
      let embeddings = memory.embeddings.base
      if table.index == .first {
        fettle_add_column_sums(embeddings, gradients + table.start, microBatch.rows, table.columns)
        return
      }
      var row = 0
      for example in microBatch.examples {
        for (position, word) in examples[example].words.enumerated() {
          let looked = table.index == .word ? Int(word) : position
          if rows.contains(looked) {
            let from = embeddings + row * table.columns
            let to = gradients + table.start + looked * table.columns
            for i in 0..<table.columns { to[i] += from[i] }
          }
          row += 1
        }
      }
    }
  }
}
