import CKernels
import Foundation

/// A piece of the work that makes gradients of what the shards of a micro-batch have left.
enum GradientTask {
  /// Rows `part` of a layer's matrix number `matrix`: dw = xᵀ dy over all rows of the micro-batch.
  case matrix(layer: Int, matrix: Int, part: Range<Int>)
  /// A stretch of the vectors: the shards' gradients summed in the shards' order.
  case vectors(Range<Int>)
  /// Rows of the word table.
  case words(Range<Int>)
  case positions
  case types

  /// About as many weights as one task takes of a matrix.
  private static let weightsInPart = 300_000
  private static let wordsInPart = 512

  static func all(_ layout: WeightLayout, _ scope: TrainableScope) -> [GradientTask] {
    var tasks: [GradientTask] = []
    for (number, layer) in layout.layers.enumerated() where number >= scope.lowest ?? 0 {
      let first = scope.isAdaptersOnly ? WeightLayout.Layer.plainLinears : 0
      for (matrix, linear) in layer.linears.enumerated().dropFirst(first) {
        let parts = max(1, linear.inputs * linear.outputs / weightsInPart)
        let rows = (linear.inputs + parts - 1) / parts
        for start in stride(from: 0, to: linear.inputs, by: rows) {
          tasks.append(.matrix(layer: number, matrix: matrix, part: start..<min(start + rows, linear.inputs)))
        }
      }
    }
    if scope.lowest == nil {
      for start in stride(from: 0, to: layout.words, by: wordsInPart) {
        tasks.append(.words(start..<min(start + wordsInPart, layout.words)))
      }
      tasks += [.positions, .types]
    }
    for start in stride(from: layout.vectors.lowerBound, to: layout.vectors.upperBound, by: 8192) {
      tasks.append(.vectors(start..<min(start + 8192, layout.vectors.upperBound)))
    }
    return tasks
  }

  /// `into` is laid out as the weights are. `adding`: to what an earlier micro-batch of the batch left there.
  func run(
    into gradients: FloatPointer, layout: WeightLayout, memory: BatchMemory, microBatch: BatchPlan.MicroBatch,
    examples: [TrainingExample], adding: Bool, matmul: MatMul
  ) throws {
    let hidden = layout.configuration.hiddenSize
    func clear(_ start: Int, _ count: Int) {
      if !adding { memset(gradients + start, 0, count * 4) }
    }
    func add(_ row: Int, to start: Int) {
      let from = memory.embeddings.base + row * hidden
      for i in 0..<hidden { gradients[start + i] += from[i] }
    }
    switch self {
    case .matrix(let layer, let matrix, let part):
      let linear = layout.layers[layer].linears[matrix]
      guard let (input, gradient) = memory.product(layer: layer, matrix: matrix) else {
        preconditionFailure("a matrix that was not to learn")
      }
      try matmul.gradient(
        input, gradient,
        into: gradients + linear.weight, adding: adding, part: part, rows: microBatch.rows, k: linear.inputs,
        columns: linear.outputs)
    case .vectors(let range):
      clear(range.lowerBound, range.count)
      for shard in microBatch.shards.indices {
        let from = memory.shardVectors[shard].base - layout.vectors.lowerBound
        for i in range { gradients[i] += from[i] }
      }
    case .words(let range):
      clear(layout.wordTable + range.lowerBound * hidden, range.count * hidden)
      var row = 0
      for example in microBatch.examples {
        for word in examples[example].words {
          if range.contains(Int(word)) { add(row, to: layout.wordTable + Int(word) * hidden) }
          row += 1
        }
      }
    case .positions:
      clear(layout.positionTable, layout.configuration.maximumPositions * hidden)
      var row = 0
      for example in microBatch.examples {
        for position in examples[example].words.indices {
          add(row, to: layout.positionTable + position * hidden)
          row += 1
        }
      }
    case .types:
      clear(layout.typeTable, layout.configuration.segmentTypes * hidden)
      fettle_add_column_sums(memory.embeddings.base, gradients + layout.typeTable, microBatch.rows, hidden)
    }
  }
}
