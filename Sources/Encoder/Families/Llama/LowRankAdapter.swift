import CKernels

/// LoRA (Hu et al. 2021) beside one matrix in which the outputs of several stand side by side: y += scale (x Aᵀ) B, with an A and
/// a B for each of them. Theirs are the only numbers that learn.
struct LowRankAdapter: Sendable {
  /// One of the matrices that stand side by side.
  struct Part: Sendable {
    /// Its first output.
    var column: Int
    var outputs: Int
    /// `[rank, outputs]`.
    var b: Int
  }

  let inputs: Int
  let outputs: Int
  let rank: Int
  let scale: Float
  /// `[parts rank, inputs]`, so that one product reads x once for all.
  let a: Int
  let parts: [Part]

  /// Numbers of x Aᵀ in a row.
  var width: Int { parts.count * rank }

  init(
    in layout: inout ParameterLayout, layer: Int, inputs: Int, outputs: [Int], rank: Int, scale: Float
  ) {
    (self.inputs, self.outputs, self.rank, self.scale) = (inputs, outputs.reduce(0, +), rank, scale)
    a = layout.placeVector(outputs.count * rank * inputs, .adapter, layer: layer)
    var column = 0
    parts = outputs.map { width in
      defer { column += width }
      return Part(
        column: column, outputs: width, b: layout.placeVector(rank * width, .adapter, layer: layer))
    }
  }

  /// The names that Python's peft has for them, but for its prefix.
  func name(_ matrices: [String], in layout: inout ParameterLayout) {
    for (number, (part, name)) in zip(parts, matrices).enumerated() {
      layout.file(
        name + ".lora_A.weight", shape: [rank, inputs], at: a + number * rank * inputs, initial: .uniform)
      layout.file(
        name + ".lora_B.weight", shape: [part.outputs, rank], at: part.b, transposedBy: part.outputs)
    }
  }

  /// Adds to y: `[rows, outputs]`, from x: `[rows, inputs]`.
  /// - Parameter reduced: takes x Aᵀ, `[rows, width]`.
  func forward(
    _ x: FloatPointer, reduced: FloatPointer, into y: FloatPointer, rows: Int, _ parameters: ParameterStore
  ) {
    fettle_low_rank_reduce(x, inputs, parameters[a], reduced, width, rows, width, inputs, 1)
    for (number, part) in parts.enumerated() {
      fettle_low_rank_expand(
        reduced + number * rank, width, parameters[part.b], y + part.column, outputs, rows, rank,
        part.outputs, scale)
    }
  }

  /// Leaves in `reduced` the gradient of x Aᵀ, from `dy`, that of y; adds that of x to `dx`, where it is wanted.
  func backward(
    _ dy: FloatPointer, reduced: FloatPointer, into dx: FloatPointer?, rows: Int, _ parameters: ParameterStore
  ) {
    for (number, part) in parts.enumerated() {
      fettle_low_rank_reduce(
        dy + part.column, outputs, parameters[part.b], reduced + number * rank, width, rows, rank,
        part.outputs, scale)
    }
    if let dx { fettle_low_rank_expand(reduced, width, parameters[a], dx, inputs, rows, width, inputs, 1) }
  }

  /// Adds the gradients of A to `gradients`, which is laid out as the parameters are, for the inputs `columns`.
  /// - Parameters:
  ///   - x: what the matrix read.
  ///   - reducedGradient: what `backward` left.
  func addGradientOfA(
    _ x: FloatPointer, _ reducedGradient: FloatPointer, rows: Int, columns: Range<Int>,
    to gradients: FloatPointer
  ) {
    fettle_low_rank_gradient(
      reducedGradient, width, x + columns.lowerBound, inputs, gradients + a + columns.lowerBound, inputs,
      rows, width, columns.count, 1)
  }

  /// Adds those of a part's B, for the outputs `columns`.
  /// - Parameters:
  ///   - reduced: what `forward` left.
  ///   - dy: the gradient of what the matrix gave.
  func addGradientOfB(
    _ part: Int, _ reduced: FloatPointer, _ dy: FloatPointer, rows: Int, columns: Range<Int>,
    to gradients: FloatPointer
  ) {
    let place = parts[part]
    fettle_low_rank_gradient(
      reduced + part * rank, width, dy + place.column + columns.lowerBound, outputs,
      gradients + place.b + columns.lowerBound, place.outputs, rows, rank, columns.count, scale)
  }
}
