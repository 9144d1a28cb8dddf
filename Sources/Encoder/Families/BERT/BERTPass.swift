import Foundation

/// The whole encoder, forward and backward, over texts packed without padding.
/// Sendable unchecked: used by one thread at a time.
final class BERTPass: Pass, @unchecked Sendable {
  private let network: BERTNetwork
  private let products: LinearProducts
  private let scratch: BERTScratch
  /// One a layer in training, else one for all.
  private let saved: [BERTActivations]
  private let passing: PassingProducts
  /// What the embeddings' layer norm leaves for the backward pass: `[rows, hidden]` and `[rows]`.
  private let embeddingXhat: Floats
  private let embeddingRstd: Floats

  init(_ network: BERTNetwork, _ parameters: ParameterStore, rows: Int, longest: Int, isTraining: Bool) throws
  {
    self.network = network
    products = LinearProducts(parameters: parameters, matmul: try MatMul())
    scratch = BERTScratch(network, rows: rows, longest: longest)
    saved = (0..<(isTraining ? network.layers.count : 1)).map { _ in
      BERTActivations(network, rows: rows, longest: longest)
    }
    passing = PassingProducts(
      parameters.layout, rows: rows, dtype: parameters.dtype, isTraining: isTraining)
    embeddingXhat = isTraining ? Floats(count: rows * network.configuration.hiddenSize) : saved[0].outputXhat
    embeddingRstd = isTraining ? Floats(count: rows) : saved[0].outputRstd
  }

  private func embeddings(_ words: UnsafePointer<Float>) -> BERTEmbeddings {
    BERTEmbeddings(network: network, words: words, parameters: products.parameters)
  }

  private func layer(_ number: Int, _ kept: SavedProducts?) -> BERTLayer {
    BERTLayer(
      configuration: network.configuration, layout: network.layers[number], products: products,
      saved: saved[kept == nil ? 0 : number], scratch: scratch, passing: passing, kept: kept)
  }

  func forward(
    _ texts: PackedTexts, words: UnsafePointer<Float>, blocks: [Range<Int>], products kept: SavedProducts?
  ) throws -> FloatPointer {
    /// Where layer `number` reads its input.
    func input(_ number: Int) -> Operand {
      layer(number, kept).input(of: network.layers[number].projections)
    }
    var x = input(0).scratch(scratch.hidden)
    embeddings(words).forward(
      texts, y: x, xhat: embeddingXhat.base, rstd: embeddingRstd.base, scratch: scratch)
    for number in network.layers.indices {
      input(number).store(x, count: texts.rows * network.configuration.hiddenSize)
      let isLast = number == network.layers.count - 1
      let y = isLast ? scratch.hidden.base : input(number + 1).scratch(scratch.hidden)
      try layer(number, kept).forward(x: x, y: y, texts: texts.ranges, blocks: blocks)
      x = y
    }
    return x
  }

  /// The same, for nothing to go back, by several threads, each with some of the rows and a pass of its own: a text that comes alone
  /// need not wait for one thread. The numbers are the same to the last bit where ``MatMul/rowsAreIndependent``.
  /// - Parameter passes: as many as the pool has threads, two at least, of a network without adapters.
  static func forward(
    _ texts: PackedTexts, words: UnsafePointer<Float>, by passes: [BERTPass], _ pool: ThreadPool
  ) throws -> FloatPointer {
    let main = passes[0]
    let layers = main.network.layers
    let hidden = main.network.configuration.hiddenSize
    func layer(_ number: Int, _ pass: BERTPass) -> BERTLayer {
      BERTLayer(
        configuration: main.network.configuration, layout: layers[number], products: pass.products,
        // One thread may project the next layer while another still attends in this one.
        saved: passes[number % passes.count].saved[0], scratch: main.scratch, passing: main.passing, kept: nil
      )
    }
    func input(_ number: Int) -> Operand { layer(number, main).input(of: layers[number].projections) }
    func x(_ number: Int) -> FloatPointer {
      number == layers.count ? main.scratch.hidden.base : input(number).scratch(main.scratch.hidden)
    }
    main.embeddings(words).forward(
      texts, y: x(0), xhat: main.embeddingXhat.base, rstd: main.embeddingRstd.base, scratch: main.scratch)
    // A product of one row would be other code.
    let share = max(2, (texts.rows + pool.count - 1) / pool.count)
    let parts = stride(from: 0, to: max(texts.rows - 1, 1), by: share).map { start in
      start..<(start + share >= texts.rows - 1 ? texts.rows : start + share)
    }
    for number in 0...layers.count {
      try pool.run(parts.count) { task, worker in
        let rows = parts[task]
        let start = rows.lowerBound * hidden
        if number > 0 {
          try layer(number - 1, passes[worker]).attendAndFinish(
            x: x(number - 1), y: x(number), texts: texts.ranges, rows: rows,
            attention: passes[worker].scratch.attention.base)
        }
        if number < layers.count {
          input(number).advanced(by: start).store(x(number) + start, count: rows.count * hidden)
          try layer(number, passes[worker]).project(rows, [rows])
        }
      }
    }
    return x(layers.count)
  }

  func backward(
    _ texts: PackedTexts, gradient: FloatPointer, products kept: SavedProducts, vectors: FloatPointer,
    lowest: Int?
  ) throws {
    for number in stride(from: network.layers.count - 1, through: lowest ?? 0, by: -1) {
      try layer(number, kept).backward(gradient: gradient, vectors: vectors, texts: texts.ranges)
    }
    if lowest == nil {
      embeddings(UnsafePointer(scratch.sum.base)).backward(
        gradient: gradient, xhat: embeddingXhat.base, rstd: embeddingRstd.base, vectors: vectors,
        rows: texts.rows)
    }
  }
}
