/// Products with a model's matrices, on one thread.
struct LinearProducts {
  let parameters: ParameterStore
  let matmul: MatMul

  /// y = x w, or y += x w. x: `[rows, inputs]`, y: `[rows, outputs]`.
  /// - Parameter blocks: rows that are multiplied at once.
  func forward(
    _ x: Operand, _ matrix: ParameterLayout.Matrix, into y: FloatPointer, adding: Bool = false,
    _ blocks: [Range<Int>]
  ) throws {
    let w = parameters.operand(matrix)
    for block in blocks {
      if block.count <= PackedMatrix.mostRows, let packed = parameters.packed(matrix) {
        packed.multiply(
          x.floats + block.lowerBound * matrix.inputs, into: y + block.lowerBound * matrix.outputs,
          adding: adding, rows: block.count)
        continue
      }
      try matmul.forward(
        x.advanced(by: block.lowerBound * matrix.inputs), w, into: y + block.lowerBound * matrix.outputs,
        adding: adding, rows: block.count, k: matrix.inputs, columns: matrix.outputs)
    }
  }

  /// dx = dy wᵀ, or dx += dy wᵀ. dy: `[rows, outputs]`, dx: `[rows, inputs]`.
  func backward(
    _ dy: Operand, _ matrix: ParameterLayout.Matrix, into dx: FloatPointer, adding: Bool = false, _ rows: Int
  ) throws {
    if let transposed = parameters.transposedOperand(matrix) {
      try matmul.forward(
        dy, transposed, into: dx, adding: adding, rows: rows, k: matrix.outputs, columns: matrix.inputs)
    } else {
      try matmul.backward(
        dy, parameters.operand(matrix), into: dx, adding: adding, rows: rows, k: matrix.inputs,
        columns: matrix.outputs)
    }
  }
}
