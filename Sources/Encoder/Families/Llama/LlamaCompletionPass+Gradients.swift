import CKernels

/// The gradients of parameters, in pieces that any thread may make.
extension LlamaCompletionPass {
  func finishTasks(
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

  func projectTasks(
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
  func normTask(_ norm: Int, _ place: Int, _ memory: Memory, _ gradients: FloatPointer) -> Task {
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
