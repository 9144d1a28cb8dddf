/// How the texts of a batch are shared out. It depends on the texts alone and not on the threads, so neither do the sums.
struct BatchPlan {
  /// Consecutive examples of the batch that one task takes through the encoder and back.
  struct Shard {
    /// Numbers of the examples.
    var examples: [Int]
    /// Where their rows begin among those of the micro-batch.
    var firstRow: Int
    var rows: Int
  }

  /// As much of a batch as is in memory at once. A batch of short texts is one micro-batch.
  struct MicroBatch {
    var shards: [Shard]
    var rows: Int

    /// In the order of their rows.
    var examples: [Int] { shards.flatMap(\.examples) }
  }

  /// Bounds the memory for activations.
  static let rowsInMicroBatch = 2048
  /// A multiple of these are the shards of a micro-batch, so that two, four or eight threads have equal work.
  private static let shards = 4
  private static let rowsInShard = 384

  var microBatches: [MicroBatch] = []

  init(_ examples: [Int], length: (Int) -> Int) {
    var start = 0
    while start < examples.count {
      var end = start
      var rows = 0
      while end < examples.count, end == start || rows + length(examples[end]) <= BatchPlan.rowsInMicroBatch {
        rows += length(examples[end])
        end += 1
      }
      microBatches.append(BatchPlan.microBatch(Array(examples[start..<end]), rows: rows, length: length))
      start = end
    }
  }

  /// The most rows that a shard can have where no text has more than `longest`.
  static func largestShard(longest: Int) -> Int { rowsInShard + longest }

  /// The most shards of a micro-batch with `rows` rows.
  static func mostShards(rows: Int) -> Int {
    shards * ((rows + shards * rowsInShard - 1) / (shards * rowsInShard))
  }

  private static func microBatch(_ examples: [Int], rows: Int, length: (Int) -> Int) -> MicroBatch {
    let count = mostShards(rows: rows)
    var microBatch = MicroBatch(shards: [], rows: 0)
    var shard = Shard(examples: [], firstRow: 0, rows: 0)
    for example in examples {
      shard.examples.append(example)
      shard.rows += length(example)
      microBatch.rows += length(example)
      if microBatch.rows * count >= rows * (microBatch.shards.count + 1) {
        microBatch.shards.append(shard)
        shard = Shard(examples: [], firstRow: microBatch.rows, rows: 0)
      }
    }
    return microBatch
  }
}
