import CKernels
import Foundation

extension LlamaCompletionPass {
  func forward(_ batch: CompletionBatch) throws -> FloatPointer {
    reserve(batch.room)
    guard let memory else { preconditionFailure("no memory for a batch") }
    for (row, word) in batch.texts.words.enumerated() {
      parameters.wordTable.copy(row: Int(word), to: saved[0].stream.base + row * hidden)
    }
    angles(batch, memory)
    let chunks = Self.share(batch.texts.rows)
    for number in network.layers.indices {
      try pool.run(chunks.count) { task, worker in
        if number > 0 {
          try finish(
            number - 1, chunks[task], stream: saved[number - 1].stream, context: saved[number - 1].context,
            contextOperand: memory.context, into: saved[number].stream, memory, worker)
        }
        try project(number, chunks[task], memory, worker)
      }
      try attend(number, batch, memory)
    }
    let needed = Self.share(batch.needed.count)
    gather(saved[last].stream, batch.needed, into: memory.lastStream, width: hidden)
    gather(saved[last].context, batch.needed, into: memory.lastContext.floats, width: queries)
    try pool.run(needed.count) { task, worker in
      let rows = needed[task]
      try finish(
        last, rows, stream: memory.lastStream, context: memory.lastContext.floats,
        contextOperand: memory.lastContext, into: memory.lastStates, memory, worker)
      norm(memory.lastStates, network.norm, rows, into: memory.result.base)
    }
    return memory.result.base
  }

  private func gather(_ from: Floats, _ rows: [Int], into to: Floats, width: Int) {
    for (place, row) in rows.enumerated() {
      memcpy(to.base + place * width, from.base + row * width, width * 4)
    }
  }

  private func angles(_ batch: CompletionBatch, _ memory: Memory) {
    let half = configuration.headSize / 2
    let frequencies = configuration.rotationFrequencies
    for (number, text) in batch.texts.ranges.enumerated() {
      let past = number == 0 ? 0 : batch.prefix
      for row in text {
        for (pair, frequency) in frequencies.enumerated() {
          let angle = Float(past + row - text.lowerBound) * frequency
          memory.cosines.base[row * half + pair] = cos(angle)
          memory.sines.base[row * half + pair] = sin(angle)
          memory.negatedSines.base[row * half + pair] = -sin(angle)
        }
      }
    }
  }

  func norm(_ x: Floats, _ weight: Int, _ rows: Range<Int>, into y: FloatPointer) {
    fettle_rms_norm_forward(
      x.base + rows.lowerBound * hidden, parameters[weight], y + rows.lowerBound * hidden, rows.count, hidden,
      configuration.rmsNormEpsilon)
  }

  func rotate(_ projections: FloatPointer, _ rows: Range<Int>, _ memory: Memory, back: Bool = false) {
    let half = configuration.headSize / 2
    let sines = back ? memory.negatedSines : memory.sines
    fettle_rotate(
      projections + rows.lowerBound * width, width, memory.cosines.base + rows.lowerBound * half,
      sines.base + rows.lowerBound * half, rows.count,
      configuration.attentionHeads + configuration.keyHeads, configuration.headSize)
  }

  /// projections = rotated(norm(stream) Wqkv)
  private func project(_ number: Int, _ rows: Range<Int>, _ memory: Memory, _ worker: Int) throws {
    let layer = network.layers[number]
    let saved = saved[number]
    let start = rows.lowerBound
    norm(saved.stream, layer.attentionNorm, rows, into: memory.normalised.floats.base)
    try forward(
      memory.normalised.prepare(rows), memory.normalised.row(start), layer.projections,
      layer.adapters?.projections, saved.reducedProjections, into: saved.projections, rows, worker)
    if let bias = layer.projectionBias {
      fettle_add_bias(saved.projections.base + start * width, parameters[bias], rows.count, width)
    }
    rotate(saved.projections.base, rows, memory)
  }

  private func forward(
    _ operand: Operand, _ x: FloatPointer, _ matrix: ParameterLayout.Matrix, _ adapter: LowRankAdapter?,
    _ reduced: Floats, into y: Floats, adding: Bool = false, _ rows: Range<Int>, _ worker: Int
  ) throws {
    let start = rows.lowerBound
    let target = y.base + start * matrix.outputs
    try products[worker].forward(operand, matrix, into: target, adding: adding, [0..<rows.count])
    adapter?.forward(
      x, reduced: reduced.base + start * (adapter?.width ?? 0), into: target, rows: rows.count, parameters)
  }

  /// The keys and values of the prefix, which stands first, in the layer at hand.
  func takePast(_ projections: Floats, _ batch: CompletionBatch, _ memory: Memory) {
    for row in 0..<batch.prefix {
      let from = projections.base + row * width + queries
      memcpy(memory.pastKeys.base + row * keys, from, keys * 4)
      memcpy(memory.pastValues.base + row * keys, from + keys, keys * 4)
    }
  }

  /// Every thread's scratch memory for attention.
  func prepareAttention(_ count: Int) {
    if attention[0].count < count { attention = attention.map { _ in Floats(count: count) } }
  }

  private func attend(_ number: Int, _ batch: CompletionBatch, _ memory: Memory) throws {
    let saved = saved[number]
    takePast(saved.projections, batch, memory)
    let texts = batch.texts.ranges
    let longest = texts.map(\.count).max() ?? 0
    prepareAttention(fettle_causal_attention_scratch(longest, batch.prefix, configuration.headSize))
    try pool.run(texts.count) { task, worker in
      let text = texts[task]
      fettle_causal_attention_forward(
        saved.projections.base + text.lowerBound * width, memory.pastKeys.base, memory.pastValues.base,
        task == 0 ? 0 : batch.prefix, saved.context.base + text.lowerBound * queries, attention[worker].base,
        text.count, configuration.attentionHeads, configuration.keyHeads, configuration.headSize)
    }
  }

  /// middle = stream + context Wo; next = middle + (SiLU(norm(middle) Wgate) * norm(middle) Wup) Wdown
  private func finish(
    _ number: Int, _ rows: Range<Int>, stream: Floats, context: Floats, contextOperand: LlamaBuffer,
    into next: Floats, _ memory: Memory, _ worker: Int
  ) throws {
    let layer = network.layers[number]
    let saved = saved[number]
    let start = rows.lowerBound
    let middle = saved.middle
    let own = context.base + start * queries
    memcpy(middle.base + start * hidden, stream.base + start * hidden, rows.count * hidden * 4)
    try forward(
      contextOperand.prepare(rows, from: own), own, layer.output, layer.adapters?.output, saved.reducedOutput,
      into: middle, adding: true, rows,
      worker)
    norm(middle, layer.feedForwardNorm, rows, into: memory.normalised.floats.base)
    try forward(
      memory.normalised.prepare(rows), memory.normalised.row(start), layer.gateAndUp,
      layer.adapters?.gateAndUp, saved.reducedGateAndUp, into: saved.gateAndUp, rows, worker)
    fettle_swiglu_forward(
      saved.gateAndUp.base + start * 2 * inner, memory.activated.row(start), rows.count, inner)
    memcpy(next.base + start * hidden, middle.base + start * hidden, rows.count * hidden * 4)
    try forward(
      memory.activated.prepare(rows), memory.activated.row(start), layer.down, layer.adapters?.down,
      saved.reducedDown, into: next, adding: true, rows, worker)
  }
}
