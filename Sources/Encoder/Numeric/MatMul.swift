import COneDNN
import Foundation

/// Matrix products over oneDNN, with code and scratch memory of one thread. Weights stand as `[in, out]`, so that the forward
/// product reads both its matrices along their rows: that is what oneDNN does best with few rows.
///
/// The number of tokens differs from call to call and everything else does not, so it is left open in the code that oneDNN makes:
/// that costs it a few per cent and spares making new code all the time. Sums are kept in f32.
/// Sendable unchecked: used by one thread at a time: the pool's worker that it belongs to.
final class MatMul: @unchecked Sendable {
  private let engine: dnnl_engine_t
  private let stream: dnnl_stream_t
  private var primitives: [Shape: (primitive: dnnl_primitive_t, scratchBytes: Int)] = [:]
  private var scratch = Floats(count: 0)

  /// - Throws: `ModelError.productFailed`: oneDNN has no memory.
  init() throws {
    var engine: dnnl_engine_t?
    var stream: dnnl_stream_t?
    try MatMul.check(onednn_start(&engine, &stream))
    guard let engine, let stream else { throw ModelError.productFailed(status: 0) }
    self.engine = engine
    self.stream = stream
  }

  deinit {
    for (primitive, _) in primitives.values { dnnl_primitive_destroy(primitive) }
    dnnl_stream_destroy(stream)
    dnnl_engine_destroy(engine)
  }

  /// y = x w, or y += x w. x: `[rows, k]`, w: `[k, columns]`, y: `[rows, columns]`.
  func forward(
    _ x: Operand, _ w: Operand, into y: FloatPointer, adding: Bool = false, rows: Int, k: Int,
    columns: Int
  ) throws {
    let shape = Shape(
      kind: .forward, k: k, columns: columns, dtype: x.dtype, isAdding: adding)
    try run(shape, x, w, y, rows: rows)
  }

  /// dx = dy wᵀ, or dx += dy wᵀ. dy: `[rows, columns]`, w: `[k, columns]`, dx: `[rows, k]`.
  func backward(
    _ dy: Operand, _ w: Operand, into dx: FloatPointer, adding: Bool = false, rows: Int, k: Int,
    columns: Int
  ) throws {
    let shape = Shape(
      kind: .backward, k: k, columns: columns, dtype: dy.dtype, isAdding: adding)
    try run(shape, dy, w, dx, rows: rows)
  }

  /// dw = xᵀ dy, or dw += xᵀ dy, for the rows `part` of dw. x: `[rows, k]`, dy: `[rows, columns]`, dw: `[k, columns]`.
  func gradient(
    _ x: Operand, _ dy: Operand, into dw: FloatPointer, adding: Bool, part: Range<Int>, rows: Int, k: Int,
    columns: Int
  ) throws {
    let shape = Shape(
      kind: .gradient(part: part.count), k: k, columns: columns, dtype: x.dtype,
      isAdding: adding)
    try run(shape, x.advanced(by: part.lowerBound), dy, dw + part.lowerBound * columns, rows: rows)
  }

  /// Rows to multiply at once so that no text's numbers depend, in their last bits, on the texts beside it. With AVX-512 a row's
  /// result is the same however many rows there are, from two on; oneDNN's code for other CPUs takes the last few rows of a
  /// product in another order, so that there each text is a product of its own.
  static func blocks(_ texts: [Range<Int>]) -> [Range<Int>] {
    guard rowsAreIndependent, let first = texts.first, let last = texts.last else { return texts }
    return [first.lowerBound..<last.upperBound]
  }

  /// Whether a row's result is the same however many rows there are, from two on.
  static var rowsAreIndependent: Bool { onednn_has_avx512() }

  /// All that a product's code depends on.
  private struct Shape: Hashable {
    enum Kind: Hashable {
      case forward, backward
      case gradient(part: Int)
    }
    var kind: Kind
    /// Of the weights, `[k, columns]`.
    var k: Int
    var columns: Int
    var dtype: DType
    var isAdding: Bool

    /// As oneDNN is to see it, with `rows` tokens.
    func product(rows: Int) -> onednn_product {
      var product = onednn_product()
      product.is_bf16 = dtype == .bf16
      product.is_adding = isAdding
      switch kind {
      case .forward:
        (product.rows, product.columns, product.k) = (rows, columns, k)
        (product.a_stride, product.b_stride, product.c_stride) = (k, columns, columns)
      case .backward:
        (product.rows, product.columns, product.k) = (rows, k, columns)
        (product.a_stride, product.b_stride, product.c_stride) = (columns, columns, k)
        product.transposes_b = true
      case .gradient(let part):
        (product.rows, product.columns, product.k) = (part, columns, rows)
        (product.a_stride, product.b_stride, product.c_stride) = (k, columns, columns)
        product.transposes_a = true
      }
      return product
    }
  }

  private func run(_ shape: Shape, _ a: Operand, _ b: Operand, _ c: FloatPointer, rows: Int) throws {
    let (primitive, scratchBytes) = try primitives[shape] ?? create(shape)
    var product = shape.product(rows: rows)
    try MatMul.check(
      onednn_run(engine, stream, primitive, &product, a.base, b.base, c, scratch.base, scratchBytes))
  }

  private func create(_ shape: Shape) throws -> (primitive: dnnl_primitive_t, scratchBytes: Int) {
    var product = shape.product(rows: Int(onednn_open))
    var primitive: dnnl_primitive_t?
    var scratchBytes = 0
    try MatMul.check(onednn_prepare(engine, &product, &primitive, &scratchBytes))
    guard let primitive else { throw ModelError.productFailed(status: 0) }
    primitives[shape] = (primitive, scratchBytes)
    if scratchBytes > scratch.count * 4 { scratch = Floats(count: (scratchBytes + 3) / 4) }
    return (primitive, scratchBytes)
  }

  /// Status values other than 0 mean that oneDNN had no memory, or no such product.
  private static func check(_ status: Int32) throws {
    if status != 0 { throw ModelError.productFailed(status: Int(status)) }
  }
}
