import COneDNN

/// Matrix products over oneDNN, one thread each. Weights stand as `[in, out]`, so that the forward product reads both its
/// matrices along their rows: that is what oneDNN does best with few rows.
///
/// Status values other than 0 mean that oneDNN had no memory, or no such product; they become `ModelError.productFailed`.
struct Products: Sendable {
  /// y = x w, or y += x w. x: `[rows, inner]`, w: `[inner, columns]`, y: `[rows, columns]`.
  func forward(
    _ x: Operand, _ w: Operand, into y: FloatPointer, adding: Bool = false, rows: Int, inner: Int,
    columns: Int
  ) throws {
    try check(

      onednn_multiply_f32(
        0, 0, rows, columns, inner, x.floats, inner, w.floats, columns, adding ? 1 : 0, y, columns))
  }

  /// dx = dy wᵀ, or dx += dy wᵀ. dy: `[rows, columns]`, w: `[inner, columns]`, dx: `[rows, inner]`.
  func backward(
    _ dy: Operand, _ w: Operand, into dx: FloatPointer, adding: Bool = false, rows: Int, inner: Int,
    columns: Int
  ) throws {
    try check(
      onednn_multiply_f32(
        0, 1, rows, inner, columns, dy.floats, columns, w.floats, columns, adding ? 1 : 0, dx, inner))
  }

  /// dw = xᵀ dy, or dw += xᵀ dy, for the rows `part` of dw. x: `[rows, inner]`, dy: `[rows, columns]`, dw: `[inner, columns]`.
  func gradient(
    _ x: Operand, _ dy: Operand, into dw: FloatPointer, adding: Bool, part: Range<Int>, rows: Int, inner: Int,
    columns: Int
  ) throws {
    try check(
      onednn_multiply_f32(
        1, 0, part.count, columns, rows, x.advanced(by: part.lowerBound).floats, inner, dy.floats, columns,
        adding ? 1 : 0, dw + part.lowerBound * columns, columns))
  }

  private func check(_ status: Int32) throws {
    if status != 0 { throw ModelError.productFailed(status: Int(status)) }
  }
}
