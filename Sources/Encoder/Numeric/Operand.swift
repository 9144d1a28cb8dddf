import CKernels
import Foundation

typealias FloatPointer = UnsafeMutablePointer<Float>

/// A matrix as products read it: f32 numbers, or the same rounded to bf16.
///
/// Kernels write f32. In f32 they write straight into the operand; in bf16 they write into scratch memory, which `keep` rounds.
struct Operand {
  let base: UnsafeMutableRawPointer
  let isRounded: Bool

  func advanced(by count: Int) -> Operand {
    Operand(base: base + count * (isRounded ? 2 : 4), isRounded: isRounded)
  }

  /// Where a kernel writes what shall become this operand.
  func workspace(_ scratch: Floats) -> FloatPointer { isRounded ? scratch.base : floats }

  /// The numbers themselves; only where they are f32.
  var floats: FloatPointer { base.assumingMemoryBound(to: Float.self) }
  var halves: UnsafeMutablePointer<UInt16> { base.assumingMemoryBound(to: UInt16.self) }

  /// Takes over what stands in `numbers`.
  func keep(_ numbers: FloatPointer, count: Int) {
    if isRounded {
      fettle_round_to_bf16(numbers, halves, count)
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

  init(count: Int, isRounded: Bool) {
    floats = Floats(count: isRounded ? (count + 1) / 2 : count)
    operand = Operand(base: UnsafeMutableRawPointer(floats.base), isRounded: isRounded)
  }
}
