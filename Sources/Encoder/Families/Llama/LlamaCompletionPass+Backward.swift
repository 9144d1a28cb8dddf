import CKernels
import Foundation

extension LlamaCompletionPass {
  /// A piece of the work that makes gradients of parameters.
  typealias Task = (_ worker: Int) throws -> Void

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
}
