import COneDNN
import Foundation

/// Matrix products over oneDNN, with code and scratch memory of one thread. Weights stand as `[in, out]`, so that the forward
/// product reads both its matrices along their rows: that is what oneDNN does best with few rows.
///
/// The number of tokens differs from call to call and everything else does not, so it is left open in the code that oneDNN makes:
/// that costs it a few per cent and spares making new code all the time. Sums are kept in f32.
/// Sendable unchecked: used by one thread at a time: the pool's worker that it belongs to.
final class Products: @unchecked Sendable {
  private let engine: dnnl_engine_t
  private let stream: dnnl_stream_t
  private var prepared: [Shape: (code: dnnl_primitive_t, scratchBytes: Int)] = [:]
  private var scratch = Floats(count: 0)

  /// - Throws: `ModelError.productFailed`: oneDNN has no memory.
  init() throws {
    var engine: dnnl_engine_t?
    var stream: dnnl_stream_t?
    try Products.check(onednn_start(&engine, &stream))
    guard let engine, let stream else { throw ModelError.productFailed(status: 0) }
    self.engine = engine
    self.stream = stream
  }

  deinit {
    for (code, _) in prepared.values { dnnl_primitive_destroy(code) }
    dnnl_stream_destroy(stream)
    dnnl_engine_destroy(engine)
  }

  /// y = x w, or y += x w. x: `[rows, inner]`, w: `[inner, columns]`, y: `[rows, columns]`.
  func forward(
    _ x: Operand, _ w: Operand, into y: FloatPointer, adding: Bool = false, rows: Int, inner: Int,
    columns: Int
  ) throws {
    let shape = Shape(
      kind: .forward, inner: inner, columns: columns, isRounded: x.isRounded, isAdding: adding)
    try run(shape, x, w, y, rows: rows)
  }

  /// dx = dy wᵀ, or dx += dy wᵀ. dy: `[rows, columns]`, w: `[inner, columns]`, dx: `[rows, inner]`.
  func backward(
    _ dy: Operand, _ w: Operand, into dx: FloatPointer, adding: Bool = false, rows: Int, inner: Int,
    columns: Int
  ) throws {
    let shape = Shape(
      kind: .backward, inner: inner, columns: columns, isRounded: dy.isRounded, isAdding: adding)
    try run(shape, dy, w, dx, rows: rows)
  }

  /// dw = xᵀ dy, or dw += xᵀ dy, for the rows `part` of dw. x: `[rows, inner]`, dy: `[rows, columns]`, dw: `[inner, columns]`.
  func gradient(
    _ x: Operand, _ dy: Operand, into dw: FloatPointer, adding: Bool, part: Range<Int>, rows: Int, inner: Int,
    columns: Int
  ) throws {
    let shape = Shape(
      kind: .gradient(part: part.count), inner: inner, columns: columns, isRounded: x.isRounded,
      isAdding: adding)
    try run(shape, x.advanced(by: part.lowerBound), dy, dw + part.lowerBound * columns, rows: rows)
  }

  /// Rows to multiply at once so that no text's numbers depend, in their last bits, on the texts beside it. With AVX-512 a row's
  /// result is the same however many rows there are, from two on; oneDNN's code for other CPUs takes the last few rows of a
  /// product in another order, so that there each text is a product of its own.
  static func blocks(_ texts: [Range<Int>]) -> [Range<Int>] {
    guard onednn_has_avx512(), let first = texts.first, let last = texts.last else { return texts }
    return [first.lowerBound..<last.upperBound]
  }

  /// All that a product's code depends on.
  private struct Shape: Hashable {
    enum Kind: Hashable {
      case forward, backward
      case gradient(part: Int)
    }
    var kind: Kind
    /// Of the weights, `[inner, columns]`.
    var inner: Int
    var columns: Int
    var isRounded: Bool
    var isAdding: Bool

    /// As oneDNN is to see it, with `rows` tokens.
    func product(rows: Int) -> onednn_product {
      var product = onednn_product()
      product.is_rounded = isRounded
      product.is_adding = isAdding
      switch kind {
      case .forward:
        (product.rows, product.columns, product.inner) = (rows, columns, inner)
        (product.a_stride, product.b_stride, product.c_stride) = (inner, columns, columns)
      case .backward:
        (product.rows, product.columns, product.inner) = (rows, inner, columns)
        (product.a_stride, product.b_stride, product.c_stride) = (columns, columns, inner)
        product.turns_b = true
      case .gradient(let part):
        (product.rows, product.columns, product.inner) = (part, columns, rows)
        (product.a_stride, product.b_stride, product.c_stride) = (inner, columns, columns)
        product.turns_a = true
      }
      return product
    }
  }

  private func run(_ shape: Shape, _ a: Operand, _ b: Operand, _ c: FloatPointer, rows: Int) throws {
    let (code, scratchBytes) = try prepared[shape] ?? prepare(shape)
    var product = shape.product(rows: rows)
    try Products.check(
      onednn_run(engine, stream, code, &product, a.base, b.base, c, scratch.base, scratchBytes))
  }

  private func prepare(_ shape: Shape) throws -> (code: dnnl_primitive_t, scratchBytes: Int) {
    var product = shape.product(rows: Int(onednn_open))
    var code: dnnl_primitive_t?
    var scratchBytes = 0
    try Products.check(onednn_prepare(engine, &product, &code, &scratchBytes))
    guard let code else { throw ModelError.productFailed(status: 0) }
    prepared[shape] = (code, scratchBytes)
    if scratchBytes > scratch.count * 4 { scratch = Floats(count: (scratchBytes + 3) / 4) }
    return (code, scratchBytes)
  }

  /// Status values other than 0 mean that oneDNN had no memory, or no such product.
  private static func check(_ status: Int32) throws {
    if status != 0 { throw ModelError.productFailed(status: Int(status)) }
  }
}
