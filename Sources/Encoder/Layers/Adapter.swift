import CKernels
import Foundation

/// Adapters: y = x + up(GELU(down(x))), a bottleneck beside each of a layer's two outputs, before they are added to the layer's
/// way and normalised (Houlsby et al. 2019, figure 2).
extension EncoderLayer {
  /// x: `[rows, hidden]`, in place. Returns the place of the bias that is still to be added: `bias` itself where there is no
  /// adapter, else the adapter's last.
  func adapterForward(
    _ x: FloatPointer, bias: Int, _ adapter: WeightLayout.Adapter?, _ saved: AdapterActivations?,
    _ blocks: [Range<Int>], _ scratch: Scratch
  ) throws -> Int {
    guard let adapter, let saved, let rows = blocks.last?.upperBound else { return bias }
    fettle_add_bias(x, weights + bias, rows, hidden)
    saved.input.store(x, count: rows * hidden)
    let size = adapter.down.outputs
    let activated = saved.activated.scratch(scratch.wide)
    try linearForward(saved.input, adapter.down, into: saved.preActivation, blocks)
    fettle_gelu_forward(saved.preActivation, weights + adapter.down.bias, activated, rows, size)
    saved.activated.store(activated, count: rows * size)
    try linearForward(saved.activated, adapter.up, into: x, adding: true, blocks)
    return adapter.up.bias
  }

  /// From `gradient`, `[rows, hidden]`, of y, makes that of x plus `bias`, and leaves it in `outputGradient`. `gradient` stays as it
  /// is: the residual needs it too.
  ///
  /// - Parameters:
  ///   - own: take the gradients of what the adapter's two products gave.
  ///   - vectors: as in `backward`.
  func adapterBackward(
    _ gradient: FloatPointer, _ adapter: WeightLayout.Adapter?, _ saved: AdapterActivations?,
    _ own: ArraySlice<Operand>, into outputGradient: Operand, bias: Int, _ vectors: FloatPointer,
    _ rows: Int,
    _ scratch: Scratch
  ) throws {
    guard let adapter, let saved, let ownDown = own.first, let ownUp = own.last else {
      outputGradient.store(gradient, count: rows * hidden)
      fettle_add_column_sums(gradient, vectors + bias, rows, hidden)
      return
    }
    let size = adapter.down.outputs
    ownUp.store(gradient, count: rows * hidden)
    fettle_add_column_sums(gradient, vectors + adapter.up.bias, rows, hidden)

    let narrow = ownDown.scratch(scratch.wide)
    try linearBackward(ownUp, adapter.up, into: narrow, rows)
    fettle_gelu_backward(saved.preActivation, narrow, rows * size)
    ownDown.store(narrow, count: rows * size)
    fettle_add_column_sums(narrow, vectors + adapter.down.bias, rows, size)

    let both = outputGradient.scratch(scratch.sum)
    memcpy(both, gradient, rows * hidden * 4)
    try linearBackward(ownDown, adapter.down, into: both, adding: true, rows)
    outputGradient.store(both, count: rows * hidden)
    fettle_add_column_sums(both, vectors + bias, rows, hidden)
  }
}
