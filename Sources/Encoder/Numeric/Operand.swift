import CKernels
import Foundation

package typealias FloatPointer = UnsafeMutablePointer<Float>

/// A matrix as products read it: f32 numbers, or the same rounded to bf16.
///
/// Kernels write f32. In f32 they write straight into the operand; in bf16 they write into scratch memory, which `store` rounds.
struct Operand {
  let base: UnsafeMutableRawPointer
  let dtype: DType

  func advanced(by count: Int) -> Operand {
    Operand(base: base + count / dtype.block.numbers * dtype.block.bytes, dtype: dtype)
  }

  /// Where a kernel writes what shall become this operand.
  func scratch(_ scratch: Floats) -> FloatPointer { dtype == .bf16 ? scratch.base : floats }

  /// The numbers themselves; only where they are f32.
  var floats: FloatPointer { base.assumingMemoryBound(to: Float.self) }
  var bf16: UnsafeMutablePointer<UInt16> { base.assumingMemoryBound(to: UInt16.self) }

  /// Takes over what stands in `numbers`.
  func store(_ numbers: FloatPointer, count: Int) {
    if dtype == .bf16 {
      fettle_round_to_bf16(numbers, bf16, count)
    } else if numbers != floats {
      memcpy(base, numbers, count * 4)
    }
  }
}

/// Memory for an operand.
/// Sendable unchecked: as with `Floats`, tasks settle who writes where.
final class OperandStorage: @unchecked Sendable {
  private let floats: Floats
  let operand: Operand

  init(count: Int, dtype: DType) {
    floats = Floats(count: (count / dtype.block.numbers * dtype.block.bytes + 3) / 4)
    operand = Operand(base: UnsafeMutableRawPointer(floats.base), dtype: dtype)
  }
}
