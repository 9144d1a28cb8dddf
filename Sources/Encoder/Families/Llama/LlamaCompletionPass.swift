import CKernels
import Foundation

/// A batch's way through a decoder of Llama's kind and back.
///
/// A layer takes two turns of the pool each way: one over rows (products, norms, feed-forward network), one over texts
/// (attention). The gradients of a layer's matrices and adapters are made in the turn after the one that leaves what they are made
/// of. Of the last layer only keys and values of all rows are computed; attention's output and what comes after it where a token
/// is to be learned.
final class LlamaCompletionPass: CompletionPass {
  private let network: LlamaNetwork
  private let parameters: ParameterStore
  private let scope: TrainableScope
  private let pool: ThreadPool
  private let products: [LinearProducts]
  /// Of each thread.
  private var attention: [Floats]
  private var saved: [LlamaActivations] = []
  private var room = CompletionRoom()
  private var memory: Memory?

  private var configuration: LlamaConfiguration { network.configuration }
  private var hidden: Int { configuration.hiddenSize }
  private var inner: Int { configuration.intermediateSize }
  private var keys: Int { configuration.keyWidth }
  private var queries: Int { configuration.queryWidth }
  private var width: Int { queries + 2 * keys }
  private var last: Int { network.layers.count - 1 }

  /// What one layer is computed in, for all rows.
  private final class Memory {
    let normalised: LlamaBuffer
    let activated: LlamaBuffer
    let context: LlamaBuffer
    /// The last layer's, of the rows that are needed.
    let lastContext: LlamaBuffer
    let lastStream: Floats
    let lastStates: Floats
    let result: Floats
    let cosines: Floats
    let sines: Floats
    let negatedSines: Floats
    /// The prefix's keys and values in the layer at hand, `[prefix, keys]`.
    let pastKeys: Floats
    let pastValues: Floats

    // Gradients. Those of projections stand twice, for even and odd layers: one is read while the next is written.
    let output: LlamaBuffer
    let middle: LlamaBuffer
    let lastOutput: LlamaBuffer
    let lastMiddleGradient: LlamaBuffer
    let activatedGradient: Floats
    let gateAndUp: LlamaBuffer
    let normalisedGradient: Floats
    let contextGradient: Floats
    let lastContextGradient: Floats
    let projections: [LlamaBuffer]
    let layerInput: LlamaBuffer
    let reducedProjections: Floats
    let reducedOutput: Floats
    let reducedGateAndUp: Floats
    let reducedDown: Floats
    /// Of each text, what the prefix's keys and values get from it.
    let pastGradients: Floats
    /// Of each chunk of rows, the gradients of the two norms.
    let norms: [Floats]

    init(_ pass: LlamaCompletionPass, _ room: CompletionRoom) {
      let (rows, needed, past) = (room.rows, room.needed, room.prefix)
      let configuration = pass.configuration
      let hidden = pass.hidden
      let dtype = pass.parameters.dtype
      let adapters = pass.network.layers[0].adapters
      func buffer(_ width: Int, rows: Int = rows) -> LlamaBuffer {
        LlamaBuffer(rows: rows, width: width, dtype: dtype)
      }
      normalised = buffer(hidden)
      activated = buffer(pass.inner)
      context = buffer(pass.queries)
      lastContext = buffer(pass.queries, rows: needed)
      lastStream = Floats(count: needed * hidden)
      lastStates = Floats(count: needed * hidden)
      result = Floats(count: needed * hidden)
      let half = configuration.headSize / 2
      cosines = Floats(count: rows * half)
      sines = Floats(count: rows * half)
      negatedSines = Floats(count: rows * half)
      pastKeys = Floats(count: past * pass.keys)
      pastValues = Floats(count: past * pass.keys)
      output = buffer(hidden)
      middle = buffer(hidden)
      lastOutput = buffer(hidden, rows: needed)
      lastMiddleGradient = buffer(hidden, rows: needed)
      activatedGradient = Floats(count: rows * pass.inner)
      gateAndUp = buffer(2 * pass.inner)
      normalisedGradient = Floats(count: rows * hidden)
      contextGradient = Floats(count: rows * pass.queries)
      lastContextGradient = Floats(count: needed * pass.queries)
      projections = (0..<2).map { _ in buffer(pass.width) }
      layerInput = buffer(hidden)
      reducedProjections = Floats(count: rows * (adapters?.projections.width ?? 0))
      reducedOutput = Floats(count: rows * (adapters?.output.width ?? 0))
      reducedGateAndUp = Floats(count: rows * (adapters?.gateAndUp.width ?? 0))
      reducedDown = Floats(count: rows * (adapters?.down.width ?? 0))
      pastGradients = Floats(count: room.texts * 2 * past * pass.keys)
      norms = (0..<LlamaCompletionPass.chunks).map { _ in Floats(count: 3 * hidden) }
    }
  }

  init(_ network: LlamaNetwork, _ parameters: ParameterStore, scope: TrainableScope, pool: ThreadPool) throws
  {
    self.network = network
    self.parameters = parameters
    self.scope = scope
    self.pool = pool
    products = try (0..<pool.count).map { _ in LinearProducts(parameters: parameters, matmul: try MatMul()) }
    attention = (0..<pool.count).map { _ in Floats(count: 0) }
  }

  /// The most pieces that rows are shared out in. Fixed, so that sums do not depend on the threads.
  private static let chunks = 8
  /// With fewer a product spends too much of its time on reading the matrix.
  private static let rowsInChunk = 96

  /// Two at least, and an even number, so that two threads have equal work.
  private static func share(_ rows: Int) -> [Range<Int>] {
    let count = rows < 32 ? 1 : min(chunks, max(2, rows / rowsInChunk / 2 * 2))
    return (0..<count).map { rows * $0 / count..<rows * ($0 + 1) / count }
  }

  func reserve(_ more: CompletionRoom) {
    let wanted = room.joined(more)
    guard memory == nil || wanted != room else { return }
    room = wanted
    (memory, saved) = (nil, [])
    memory = Memory(self, room)
    saved = network.layers.map { LlamaActivations(configuration, $0.adapters, rows: room.rows) }
  }

  func release() { (memory, saved) = (nil, []) }

  // MARK: - Forward

  func forward(_ batch: CompletionBatch) throws -> FloatPointer {
    reserve(batch.room)
    guard let memory else { preconditionFailure("no memory for a batch") }
    let words = parameters[parameters.layout.wordTable?.start ?? 0]
    for (row, word) in batch.texts.words.enumerated() {
      memcpy(saved[0].stream.base + row * hidden, words + Int(word) * hidden, hidden * 4)
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

  private func norm(_ x: Floats, _ weight: Int, _ rows: Range<Int>, into y: FloatPointer) {
    fettle_rms_norm_forward(
      x.base + rows.lowerBound * hidden, parameters[weight], y + rows.lowerBound * hidden, rows.count, hidden,
      configuration.rmsNormEpsilon)
  }

  private func rotate(_ projections: FloatPointer, _ rows: Range<Int>, _ memory: Memory, back: Bool = false) {
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
  private func takePast(_ projections: Floats, _ batch: CompletionBatch, _ memory: Memory) {
    for row in 0..<batch.prefix {
      let from = projections.base + row * width + queries
      memcpy(memory.pastKeys.base + row * keys, from, keys * 4)
      memcpy(memory.pastValues.base + row * keys, from + keys, keys * 4)
    }
  }

  /// Every thread's scratch memory for attention.
  private func prepareAttention(_ count: Int) {
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

  // MARK: - Backward

  /// A piece of the work that makes gradients of parameters.
  private typealias Task = (_ worker: Int) throws -> Void

  func backward(
    _ batch: CompletionBatch, gradient: FloatPointer, into gradients: FloatPointer, adding: Bool,
    scope: TrainableScope
  ) throws {
    guard let memory else { preconditionFailure("a way back without one there") }
    let layout = parameters.layout
    func learns(_ place: Int) -> Bool { layout.section(at: place).map(scope.includes) ?? false }
    let lowest = scope.lowest ?? 0
    let needsWords = layout.wordTable.map { learns($0.start) } ?? false
    let needed = Self.share(batch.needed.count)
    let all = Self.share(batch.texts.rows)
    let rows = 0..<batch.texts.rows
    let count = batch.needed.count

    // The final norm, then the last layer where a token is to be learned.
    clear(memory)
    try pool.run(needed.count) { task, worker in
      let rows = needed[task]
      let start = rows.lowerBound * hidden
      let target = memory.lastOutput.floats.base + start
      memset(target, 0, rows.count * hidden * 4)
      fettle_rms_norm_backward(
        memory.lastStates.base + start, parameters[network.norm], gradient + start, target,
        memory.norms[task].base + 2 * hidden, rows.count, hidden, configuration.rmsNormEpsilon)
      try unfinish(
        last, rows, task, output: memory.lastOutput, middleGradient: memory.lastMiddleGradient,
        contextGradient: memory.lastContextGradient, memory, worker)
    }
    var tasks: [Task] = []
    if learns(network.norm) { tasks.append(normTask(2, network.norm, memory, gradients)) }
    tasks += finishTasks(
      last, rows: count, output: memory.lastOutput, middleGradient: memory.lastMiddleGradient,
      context: memory.lastContext.floats, contextOperand: memory.lastContext, memory, gradients, adding,
      learns)
    memset(memory.middle.floats.base, 0, rows.count * hidden * 4)
    memset(memory.contextGradient.base, 0, rows.count * queries * 4)
    for (place, row) in batch.needed.enumerated() {
      memcpy(memory.middle.row(row), memory.lastMiddleGradient.row(place), hidden * 4)
      memcpy(
        memory.contextGradient.base + row * queries, memory.lastContextGradient.base + place * queries,
        queries * 4)
    }

    for number in stride(from: last, through: lowest, by: -1) {
      let layer = network.layers[number]
      try unattend(number, batch, memory, tasks)
      let goesOn = number > lowest || needsWords
      let learnsNorm = learns(layer.attentionNorm)
      clear(memory)
      try pool.run(all.count) { task, worker in
        try unproject(
          number, all[task], task, needsInput: goesOn || learnsNorm, memory, worker)
        if number > lowest {
          try unfinish(
            number - 1, all[task], task, output: memory.output, middleGradient: memory.middle,
            contextGradient: memory.contextGradient, memory, worker)
        }
      }
      tasks = projectTasks(number, rows: rows.count, memory, gradients, adding, learns)
      if number > lowest {
        tasks += finishTasks(
          number - 1, rows: rows.count, output: memory.output, middleGradient: memory.middle,
          context: saved[number - 1].context, contextOperand: memory.context, memory, gradients, adding,
          learns)
      }
    }
    try run(tasks)
    if needsWords, let table = layout.wordTable {
      for (row, word) in batch.texts.words.enumerated() {
        let target = gradients + table.start + Int(word) * hidden
        let from = memory.output.row(row)
        for i in 0..<hidden { target[i] += from[i] }
      }
    }
  }

  private func run(_ tasks: [Task]) throws {
    try pool.run(tasks.count) { task, worker in try tasks[task](worker) }
  }

  private func clear(_ memory: Memory) {
    guard !scope.isAdaptersOnly else { return }
    for chunk in memory.norms { memset(chunk.base, 0, chunk.count * 4) }
  }

  /// What `finish` did, back: from `output`, the gradient of what it gave, those of the middle and of the context.
  private func unfinish(
    _ number: Int, _ rows: Range<Int>, _ chunk: Int, output: LlamaBuffer,
    middleGradient: LlamaBuffer, contextGradient: Floats, _ memory: Memory, _ worker: Int
  ) throws {
    let layer = network.layers[number]
    let saved = saved[number]
    let start = rows.lowerBound
    let activated = memory.activatedGradient.base + start * inner
    let normalised = memory.normalisedGradient.base + start * hidden
    try backward(
      output.prepare(rows), output.row(start), layer.down, layer.adapters?.down, memory.reducedDown,
      into: activated, rows, worker)
    fettle_swiglu_forward(
      saved.gateAndUp.base + start * 2 * inner, memory.activated.row(start), rows.count, inner)
    fettle_swiglu_backward(
      saved.gateAndUp.base + start * 2 * inner, activated, memory.gateAndUp.row(start), rows.count, inner)
    try backward(
      memory.gateAndUp.prepare(rows), memory.gateAndUp.row(start), layer.gateAndUp,
      layer.adapters?.gateAndUp, memory.reducedGateAndUp, into: normalised, rows, worker)
    norm(saved.middle, layer.feedForwardNorm, rows, into: memory.normalised.floats.base)
    memcpy(middleGradient.row(start), output.row(start), rows.count * hidden * 4)
    fettle_rms_norm_backward(
      saved.middle.base + start * hidden, parameters[layer.feedForwardNorm], normalised,
      middleGradient.row(start),
      normGradient(1, chunk, memory), rows.count, hidden, configuration.rmsNormEpsilon)
    try backward(
      middleGradient.prepare(rows), middleGradient.row(start), layer.output, layer.adapters?.output,
      memory.reducedOutput, into: contextGradient.base + start * queries, rows, worker)
    if !scope.isAdaptersOnly {
      // What the matrices' gradients read of the way there.
      _ = memory.activated.prepare(rows)
      _ = memory.normalised.prepare(rows)
    }
  }

  /// Nil where no norm learns.
  private func normGradient(_ norm: Int, _ chunk: Int, _ memory: Memory) -> FloatPointer? {
    scope.isAdaptersOnly ? nil : memory.norms[chunk].base + norm * hidden
  }

  private func backward(
    _ operand: Operand, _ dy: FloatPointer, _ matrix: ParameterLayout.Matrix, _ adapter: LowRankAdapter?,
    _ reduced: Floats, into dx: FloatPointer, _ rows: Range<Int>, _ worker: Int
  ) throws {
    try products[worker].backward(operand, matrix, into: dx, rows.count)
    adapter?.backward(
      dy, reduced: reduced.base + rows.lowerBound * (adapter?.width ?? 0), into: dx, rows: rows.count,
      parameters)
  }

  /// Attention's way back, text by text, beside `tasks`; what the prefix gets is summed in the texts' order.
  private func unattend(_ number: Int, _ batch: CompletionBatch, _ memory: Memory, _ tasks: [Task]) throws {
    let saved = saved[number]
    let projections = memory.projections[number % 2]
    let texts = batch.texts.ranges
    let past = batch.prefix
    takePast(saved.projections, batch, memory)
    prepareAttention(
      fettle_causal_attention_backward_scratch(
        texts.map(\.count).max() ?? 0, past, configuration.attentionHeads, configuration.keyHeads,
        configuration.headSize))
    try pool.run(texts.count + tasks.count) { task, worker in
      guard task < texts.count else { return try tasks[task - texts.count](worker) }
      let text = texts[task]
      let pastGradient = memory.pastGradients.base + task * 2 * past * keys
      fettle_causal_attention_backward(
        saved.projections.base + text.lowerBound * width, memory.pastKeys.base, memory.pastValues.base,
        task == 0 ? 0 : past, memory.contextGradient.base + text.lowerBound * queries,
        projections.row(text.lowerBound), pastGradient, pastGradient + past * keys, attention[worker].base,
        text.count, configuration.attentionHeads, configuration.keyHeads, configuration.headSize)
    }
    guard past > 0 else { return }
    for text in 1..<max(texts.count, 1) {
      let from = memory.pastGradients.base + text * 2 * past * keys
      for row in 0..<past {
        let target = projections.row(row) + queries
        for i in 0..<keys {
          target[i] += from[row * keys + i]
          target[keys + i] += from[(past + row) * keys + i]
        }
      }
    }
  }

  /// What `project` did, back: the gradient of the layer's input, where it is wanted.
  private func unproject(
    _ number: Int, _ rows: Range<Int>, _ chunk: Int, needsInput: Bool, _ memory: Memory, _ worker: Int
  ) throws {
    let layer = network.layers[number]
    let saved = saved[number]
    let projections = memory.projections[number % 2]
    let input = memory.layerInput
    let reduced = memory.reducedProjections
    let start = rows.lowerBound
    rotate(projections.floats.base, rows, memory, back: true)
    norm(saved.stream, layer.attentionNorm, rows, into: input.floats.base)
    if !scope.isAdaptersOnly { _ = input.prepare(rows) }
    let operand = projections.prepare(rows)
    guard needsInput else {
      layer.adapters?.projections.backward(
        projections.row(start), reduced: reduced.base + start * (layer.adapters?.projections.width ?? 0),
        into: nil, rows: rows.count, parameters)
      return
    }
    let normalised = memory.normalisedGradient.base + start * hidden
    try backward(
      operand, projections.row(start), layer.projections, layer.adapters?.projections, reduced,
      into: normalised,
      rows, worker)
    memcpy(memory.output.row(start), memory.middle.row(start), rows.count * hidden * 4)
    fettle_rms_norm_backward(
      saved.stream.base + start * hidden, parameters[layer.attentionNorm], normalised,
      memory.output.row(start),
      normGradient(0, chunk, memory), rows.count, hidden, configuration.rmsNormEpsilon)
  }

  // MARK: - Gradients of parameters

  private func finishTasks(
    _ number: Int, rows: Int, output: LlamaBuffer, middleGradient: LlamaBuffer, context: Floats,
    contextOperand: LlamaBuffer, _ memory: Memory, _ gradients: FloatPointer, _ adding: Bool,
    _ learns: (Int) -> Bool
  ) -> [Task] {
    let layer = network.layers[number]
    let saved = saved[number]
    var tasks = adapterTasks(
      layer.adapters?.down, x: memory.activated.floats, saved.reducedDown, dy: output.floats,
      memory.reducedDown, rows: rows, gradients, learns)
    tasks += adapterTasks(
      layer.adapters?.gateAndUp, x: memory.normalised.floats, saved.reducedGateAndUp,
      dy: memory.gateAndUp.floats, memory.reducedGateAndUp, rows: rows, gradients, learns)
    tasks += adapterTasks(
      layer.adapters?.output, x: context, saved.reducedOutput, dy: middleGradient.floats,
      memory.reducedOutput, rows: rows, gradients, learns)
    if learns(layer.down.start) {
      tasks += matrixTasks(layer.down, memory.activated, output, rows, gradients, adding)
      tasks += matrixTasks(layer.gateAndUp, memory.normalised, memory.gateAndUp, rows, gradients, adding)
      let operand = contextOperand.prepare(0..<rows, from: context.base)
      tasks += matrixTasks(layer.output, operand, middleGradient.operand(), rows, gradients, adding)
    }
    if learns(layer.feedForwardNorm) {
      tasks.append(normTask(1, layer.feedForwardNorm, memory, gradients))
    }
    return tasks
  }

  private func projectTasks(
    _ number: Int, rows: Int, _ memory: Memory, _ gradients: FloatPointer, _ adding: Bool,
    _ learns: (Int) -> Bool
  ) -> [Task] {
    let layer = network.layers[number]
    let projections = memory.projections[number % 2]
    var tasks = adapterTasks(
      layer.adapters?.projections, x: memory.layerInput.floats, saved[number].reducedProjections,
      dy: projections.floats, memory.reducedProjections, rows: rows, gradients, learns)
    if learns(layer.projections.start) {
      tasks += matrixTasks(
        layer.projections, memory.layerInput, projections, rows, gradients, adding)
    }
    if learns(layer.attentionNorm) {
      tasks.append(normTask(0, layer.attentionNorm, memory, gradients))
    }
    if let bias = layer.projectionBias, learns(bias) {
      let width = width
      tasks.append { _ in
        fettle_add_column_sums(projections.floats.base, gradients + bias, rows, width)
      }
    }
    return tasks
  }

  /// The chunks' gradients of a norm, summed in their order.
  private func normTask(_ norm: Int, _ place: Int, _ memory: Memory, _ gradients: FloatPointer) -> Task {
    let hidden = hidden
    return { _ in
      for chunk in memory.norms {
        for i in 0..<hidden { gradients[place + i] += chunk.base[norm * hidden + i] }
      }
    }
  }

  private static let columnsInTask = 768
  private static let weightsInTask = 300_000

  private func adapterTasks(
    _ adapter: LowRankAdapter?, x: Floats, _ reduced: Floats, dy: Floats, _ reducedGradient: Floats,
    rows: Int,
    _ gradients: FloatPointer, _ learns: (Int) -> Bool
  ) -> [Task] {
    guard let adapter, learns(adapter.a) else { return [] }
    func parts(_ columns: Int) -> [Range<Int>] {
      stride(from: 0, to: columns, by: Self.columnsInTask).map {
        $0..<min($0 + Self.columnsInTask, columns)
      }
    }
    let ofA = parts(adapter.inputs).map { columns -> Task in
      { _ in
        adapter.addGradientOfA(x.base, reducedGradient.base, rows: rows, columns: columns, to: gradients)
      }
    }
    let ofB = adapter.parts.enumerated().flatMap { number, part in
      parts(part.outputs).map { columns -> Task in
        { _ in
          adapter.addGradientOfB(
            number, reduced.base, dy.base, rows: rows, columns: columns, to: gradients)
        }
      }
    }
    return ofA + ofB
  }

  private func matrixTasks(
    _ matrix: ParameterLayout.Matrix, _ x: LlamaBuffer, _ dy: LlamaBuffer, _ rows: Int,
    _ gradients: FloatPointer, _ adding: Bool
  ) -> [Task] {
    matrixTasks(matrix, x.operand(), dy.operand(), rows, gradients, adding)
  }

  private func matrixTasks(
    _ matrix: ParameterLayout.Matrix, _ x: Operand, _ dy: Operand, _ rows: Int, _ gradients: FloatPointer,
    _ adding: Bool
  ) -> [Task] {
    let parts = max(1, matrix.inputs * matrix.outputs / Self.weightsInTask)
    return (0..<parts).map { part in
      let range = matrix.inputs * part / parts..<matrix.inputs * (part + 1) / parts
      return { [products] worker in
        try products[worker].matmul.gradient(
          x, dy, into: gradients + matrix.start, adding: adding, part: range, rows: rows, k: matrix.inputs,
          columns: matrix.outputs)
      }
    }
  }
}
