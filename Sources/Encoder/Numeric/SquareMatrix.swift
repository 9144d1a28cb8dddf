import COneDNN

/// A symmetric matrix with positive eigenvalues.
package struct SquareMatrix {
  /// `[width, width]`
  package var numbers: [Float]
  package let width: Int

  package init(numbers: [Float], width: Int) {
    self.numbers = numbers
    self.width = width
  }

  /// The square root and its inverse, but for a factor: of the matrix divided by its norm.
  ///
  /// The iteration of Denman and Beavers in products alone (Higham, Functions of Matrices, 2008, equation 6.35), which needs no
  /// eigenvectors. An eigenvalue a thousand times smaller than the norm takes it 15 steps.
  /// - Throws: `ModelError.productFailed`.
  package func roots() throws -> (root: SquareMatrix, inverse: SquareMatrix) {
    let norm = numbers.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
    var root = SquareMatrix(numbers: numbers.map { $0 / Float(norm) }, width: width)
    var inverse = SquareMatrix(numbers: [Float](repeating: 0, count: numbers.count), width: width)
    for i in 0..<width { inverse.numbers[i * width + i] = 1 }
    for _ in 0..<40 {
      // Half of 3 - inverse · root, which goes towards 1.
      var step = try inverse.times(root)
      var distance: Float = 0
      for place in step.numbers.indices {
        let one: Float = place % (width + 1) == 0 ? 1 : 0
        distance = max(distance, abs(step.numbers[place] - one))
        step.numbers[place] = (3 * one - step.numbers[place]) / 2
      }
      if distance < 1e-4 { break }
      (root, inverse) = (try root.times(step), try step.times(inverse))
    }
    return (root, inverse)
  }

  private func times(_ other: SquareMatrix) throws -> SquareMatrix {
    SquareMatrix(numbers: try other.applied(to: numbers), width: width)
  }

  /// `[rows, width]` times the matrix.
  /// - Throws: `ModelError.productFailed`.
  package func applied(to vectors: [Float]) throws -> [Float] {
    var product = [Float](repeating: 0, count: vectors.count)
    try product.withUnsafeMutableBufferPointer { product in
      try vectors.withUnsafeBufferPointer { vectors in
        guard let from = vectors.baseAddress, let to = product.baseAddress else { return }
        try apply(to: from, rows: vectors.count / width, into: to)
      }
    }
    return product
  }

  /// The same in memory of the caller's.
  func apply(to vectors: UnsafePointer<Float>, rows: Int, into product: UnsafeMutablePointer<Float>) throws {
    let status = onednn_multiply_f32(
      0, 0, rows, width, width, vectors, width, numbers, width, 0, product, width)
    if status != 0 { throw ModelError.productFailed(status: Int(status)) }
  }
}
