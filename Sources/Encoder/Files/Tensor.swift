import CKernels
import Foundation

/// How numbers are stored, by the names of safetensors.
package enum DType: String, Sendable {
  case f32 = "F32"
  case f16 = "F16"
  case bf16 = "BF16"

  /// Numbers that are stored together, and the bytes that they take: more than one in types that quantise by blocks.
  var block: (numbers: Int, bytes: Int) {
    switch self {
    case .f32: (1, 4)
    case .f16, .bf16: (1, 2)
    }
  }

  /// Bytes of `count` numbers; nil where they are no whole blocks, or more than can be counted.
  func bytes(of count: Int) -> Int? {
    guard count % block.numbers == 0 else { return nil }
    let (bytes, overflow) = (count / block.numbers).multipliedReportingOverflow(by: block.bytes)
    return overflow ? nil : bytes
  }
}

/// Numbers with a shape, read-only: a part of a mapped file, or of memory that training has left.
/// Sendable unchecked: `owner` keeps the bytes alive, and nobody writes them.
package struct Tensor: @unchecked Sendable {
  package let shape: [Int]
  let type: DType
  let bytes: UnsafeRawBufferPointer
  let owner: AnyObject

  var count: Int { bytes.count / type.block.bytes * type.block.numbers }

  init(shape: [Int], type: DType, bytes: UnsafeRawBufferPointer, owner: AnyObject) {
    self.shape = shape
    self.type = type
    self.bytes = bytes
    self.owner = owner
  }

  init(shape: [Int], floats: Floats) {
    self.init(shape: shape, type: .f32, bytes: UnsafeRawBufferPointer(floats.buffer), owner: floats)
  }

  /// The numbers where they stand, if they stand there as aligned f32.
  var floats: UnsafePointer<Float>? {
    guard type == .f32, let base = bytes.baseAddress, UInt(bitPattern: base) % 4 == 0 else { return nil }
    return base.assumingMemoryBound(to: Float.self)
  }

  /// Number `index`, counted along the rows.
  subscript(index: Int) -> Float {
    switch type {
    case .f32: Float(bitPattern: bytes.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self))
    case .bf16:
      Float(bitPattern: UInt32(bytes.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self)) << 16)
    case .f16: Tensor.half(bytes.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self))
    }
  }

  /// Copies `count` numbers, from number `first` on, as f32.
  func copy(from first: Int = 0, count: Int, to target: UnsafeMutablePointer<Float>) {
    if type == .f32, let base = bytes.baseAddress {
      memcpy(target, base + first * 4, count * 4)
    } else {
      for i in 0..<count { target[i] = self[first + i] }
    }
  }

  /// Copies a matrix `[rows, columns]` transposed, so that element (r, c) stands at `target[c * stride + r]`.
  func copyTransposed(to target: UnsafeMutablePointer<Float>, stride: Int) {
    func transpose(_ numbers: UnsafePointer<Float>) {
      fettle_transpose(numbers, shape[1], target, stride, shape[0], shape[1])
    }
    if let floats { return transpose(floats) }
    let converted = Floats(count: count)
    copy(count: count, to: converted.base)
    transpose(converted.base)
  }

  /// IEEE 754 half precision to single; Swift's Float16 is not there on every platform.
  private static func half(_ bits: UInt16) -> Float {
    let sign = UInt32(bits & 0x8000) << 16
    let exponent = UInt32(bits >> 10) & 0x1f
    let fraction = UInt32(bits & 0x3ff)
    switch exponent {
    case 0: return (sign == 0 ? 1 : -1) * Float(fraction) * 0x1p-24
    case 31: return Float(bitPattern: sign | 0x7f80_0000 | fraction << 13)
    default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
    }
  }
}
