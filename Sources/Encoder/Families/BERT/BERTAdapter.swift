import CKernels
import Foundation

/// Adapters: y = x + up(GELU(down(x))), a bottleneck beside each of a layer's two outputs, before they are added to the layer's
/// way and normalised (Houlsby et al. 2019, figure 2).
extension BERTLayer {
  /// x: `[rows, hidden]`, in place. Returns the place of the bias that is still to be added: `bias` itself where there is no
  /// adapter, else the adapter's last.
  /// - Parameter preActivation: takes what GELU is taken of, `[rows, bottleneck]`.
  func adapterForward(
    _ x: FloatPointer, bias: Int, _ adapter: BERTNetwork.Adapter?, _ preActivation: FloatPointer,
    _ blocks: [Range<Int>]
  ) throws -> Int {
    guard let adapter, let rows = blocks.last?.upperBound else { return bias }
    fettle_add_bias(x, parameters[bias], rows, hidden)
    let read = input(of: adapter.down)
    read.store(x, count: rows * hidden)
    let size = adapter.down.weight.outputs
    let narrow = input(of: adapter.up)
    let activated = narrow.scratch(scratch.wide)
    try products.forward(read, adapter.down.weight, into: preActivation, blocks)
    fettle_gelu_forward(preActivation, parameters[adapter.down.bias], activated, rows, size)
    narrow.store(activated, count: rows * size)
    try products.forward(narrow, adapter.up.weight, into: x, adding: true, blocks)
    return adapter.up.bias
  }

  /// From `gradient`, `[rows, hidden]`, of y, makes that of x plus `bias`, and leaves it in `outputGradient`. `gradient` stays as it
  /// is: the residual needs it too.
  ///
  /// - Parameters:
  ///   - preActivation: what `adapterForward` left there.
  ///   - vectors: as in `backward`.
  func adapterBackward(
    _ gradient: FloatPointer, _ adapter: BERTNetwork.Adapter?, _ preActivation: FloatPointer,
    into outputGradient: Operand, bias: Int, _ vectors: FloatPointer, _ rows: Int
  ) throws {
    guard let adapter else {
      outputGradient.store(gradient, count: rows * hidden)
      fettle_add_column_sums(gradient, vectors + bias, rows, hidden)
      return
    }
    let size = adapter.down.weight.outputs
    let upGradient = self.outputGradient(of: adapter.up)
    upGradient.store(gradient, count: rows * hidden)
    fettle_add_column_sums(gradient, vectors + adapter.up.bias, rows, hidden)

    let downGradient = self.outputGradient(of: adapter.down)
    let narrow = downGradient.scratch(scratch.wide)
    try products.backward(upGradient, adapter.up.weight, into: narrow, rows)
    fettle_gelu_backward(preActivation, narrow, rows * size)
    downGradient.store(narrow, count: rows * size)
    fettle_add_column_sums(narrow, vectors + adapter.down.bias, rows, size)

    let both = outputGradient.scratch(scratch.sum)
    memcpy(both, gradient, rows * hidden * 4)
    try products.backward(downGradient, adapter.down.weight, into: both, adding: true, rows)
    outputGradient.store(both, count: rows * hidden)
    fettle_add_column_sums(both, vectors + bias, rows, hidden)
  }
}
