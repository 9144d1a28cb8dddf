/// What the forward pass through a layer leaves for the backward pass, for all rows of a batch. What a few element-wise operations
/// give again from these is not kept.
struct LlamaActivations {
  /// The residual stream, `[rows, hidden]`: before the layer, and between attention and feed-forward network.
  let stream: Floats
  let middle: Floats
  /// Queries, keys and values, the first two rotated: `[rows, queries + keys + values]`.
  let projections: Floats
  /// `[rows, queries]`.
  let context: Floats
  /// `[rows, 2 intermediate]`.
  let gateAndUp: Floats
  /// x Aᵀ of each adapter; empty where there are none.
  let reducedProjections: Floats
  let reducedOutput: Floats
  let reducedGateAndUp: Floats
  let reducedDown: Floats

  init(_ configuration: LlamaConfiguration, _ adapters: LlamaNetwork.Adapters?, rows: Int) {
    stream = Floats(count: rows * configuration.hiddenSize)
    middle = Floats(count: rows * configuration.hiddenSize)
    projections = Floats(count: rows * (configuration.queryWidth + 2 * configuration.keyWidth))
    context = Floats(count: rows * configuration.queryWidth)
    gateAndUp = Floats(count: rows * 2 * configuration.intermediateSize)
    reducedProjections = Floats(count: rows * (adapters?.projections.width ?? 0))
    reducedOutput = Floats(count: rows * (adapters?.output.width ?? 0))
    reducedGateAndUp = Floats(count: rows * (adapters?.gateAndUp.width ?? 0))
    reducedDown = Floats(count: rows * (adapters?.down.width ?? 0))
  }

  /// Numbers a row.
  static func width(_ configuration: LlamaConfiguration) -> Int {
    2 * configuration.hiddenSize + 2 * configuration.queryWidth + 2 * configuration.keyWidth
      + 2 * configuration.intermediateSize
  }
}

/// Numbers of all rows of a batch, and the same as products read them.
struct LlamaBuffer {
  let floats: Floats
  let width: Int
  /// Nil where products read f32.
  private let rounded: OperandStorage?

  init(rows: Int, width: Int, dtype: DType) {
    floats = Floats(count: rows * width)
    self.width = width
    rounded = dtype == .f32 ? nil : OperandStorage(count: rows * width, dtype: dtype)
  }

  func row(_ row: Int) -> FloatPointer { floats.base + row * width }

  /// As a product reads it, from row `row` on, where it is ready.
  func operand(_ row: Int = 0) -> Operand {
    (rounded?.operand ?? Operand(base: UnsafeMutableRawPointer(floats.base), dtype: .f32))
      .advanced(by: row * width)
  }

  /// Makes `rows` ready to be read by products, from `numbers` where they stand elsewhere: in f32 they are read there.
  func prepare(_ rows: Range<Int>, from numbers: FloatPointer? = nil) -> Operand {
    let numbers = numbers ?? row(rows.lowerBound)
    guard rounded != nil else { return Operand(base: UnsafeMutableRawPointer(numbers), dtype: .f32) }
    let operand = operand(rows.lowerBound)
    operand.store(numbers, count: rows.count * width)
    return operand
  }
}
