/// What products leave for the gradients of their matrices, for all rows of a micro-batch: what each read, and the gradient of
/// what it gave. There is no memory for matrices that do not learn.
final class ProductMemory: Sendable {
  /// By the matrices' ids.
  private let inputs: [OperandStorage?]
  private let outputGradients: [OperandStorage?]

  init(_ layout: ParameterLayout, rows: Int, dtype: DType, learns: (ParameterLayout.Section) -> Bool) {
    func storage(_ width: (ParameterLayout.Matrix) -> Int) -> [OperandStorage?] {
      layout.matrices.map { matrix in
        guard let section = layout.section(of: matrix), learns(section) else { return nil }
        return OperandStorage(count: rows * width(matrix), dtype: dtype)
      }
    }
    inputs = storage(\.inputs)
    outputGradients = storage(\.outputs)
  }

  /// Those of one shard, whose rows begin at `row`.
  func products(from row: Int) -> SavedProducts { SavedProducts(memory: self, row: row) }

  /// What a product read, from row `row` on; nil where its matrix does not learn.
  fileprivate func input(of matrix: ParameterLayout.Matrix, row: Int) -> Operand? {
    inputs[matrix.id]?.operand.advanced(by: row * matrix.inputs)
  }

  fileprivate func outputGradient(of matrix: ParameterLayout.Matrix, row: Int) -> Operand? {
    outputGradients[matrix.id]?.operand.advanced(by: row * matrix.outputs)
  }
}

/// Where one shard's products leave what their matrices' gradients are made of.
package struct SavedProducts: Sendable {
  fileprivate let memory: ProductMemory
  fileprivate let row: Int

  /// Where what a product reads is kept, `[rows, inputs]`; nil where its matrix does not learn, and any memory will do.
  func input(of matrix: ParameterLayout.Matrix) -> Operand? { memory.input(of: matrix, row: row) }

  /// The gradient of what it gives, `[rows, outputs]`, likewise.
  func outputGradient(of matrix: ParameterLayout.Matrix) -> Operand? {
    memory.outputGradient(of: matrix, row: row)
  }
}

/// One thread's memory for what the products of one layer read and the gradients of what they give, by their slots: until the next
/// layer's.
final class PassingProducts: Sendable {
  private let inputs: [OperandStorage]
  private let outputGradients: [OperandStorage]

  /// - Parameter isTraining: whether gradients need memory.
  init(_ layout: ParameterLayout, rows: Int, dtype: DType, isTraining: Bool) {
    let slots = (layout.matrices.map(\.slot).max() ?? -1) + 1
    func storage(_ width: (ParameterLayout.Matrix) -> Int) -> [OperandStorage] {
      (0..<slots).map { slot in
        let widest = layout.matrices.lazy.filter { $0.slot == slot }.map(width).max() ?? 0
        return OperandStorage(count: rows * widest, dtype: dtype)
      }
    }
    inputs = storage(\.inputs)
    outputGradients = isTraining ? storage(\.outputs) : []
  }

  func input(of matrix: ParameterLayout.Matrix) -> Operand { inputs[matrix.slot].operand }
  func outputGradient(of matrix: ParameterLayout.Matrix) -> Operand { outputGradients[matrix.slot].operand }
}
