import CKernels
import Foundation

/// A matrix `[in, out]` in the four or eight bits a number that a GGUF file has it in, for products of few rows: those wait for memory,
/// of which this is a fifth. It gives the numbers that ``MatMul`` gives, to the last bit, which `agrees` tries.
/// Sendable unchecked: written when it is made, and never again.
final class PackedMatrix: @unchecked Sendable {
  /// From more rows on ``MatMul`` is as fast.
  static let mostRows = 8

  /// Columns that a tensor of the file is.
  private struct Part {
    var bits: fettle_bits
    var start: UnsafeMutableRawPointer
    var columns: Range<Int>
  }

  let inputs: Int
  let outputs: Int
  private var parts: [Part] = []
  private let memory: Floats

  /// Nil where a tensor is of another type, or no whole vectors.
  /// - Parameter tensors: `[out, in]`, side by side, each with its first column.
  init?(_ tensors: [(tensor: Tensor, column: Int)], inputs: Int, outputs: Int) {
    (self.inputs, self.outputs) = (inputs, outputs)
    var bytes = 0
    var starts: [Int] = []
    for (tensor, column) in tensors {
      guard let bits = Self.bits(tensor.type), tensor.shape.count == 2, tensor.shape[1] == inputs,
        inputs % 32 == 0, tensor.shape[0] % 16 == 0, column % 16 == 0
      else { return nil }
      starts.append(bytes)
      bytes += (fettle_packed_bytes(bits, inputs, tensor.shape[0]) + 63) / 64 * 64
    }
    memory = Floats(count: bytes / 4)
    for ((tensor, column), start) in zip(tensors, starts) {
      guard let bits = Self.bits(tensor.type), let blocks = tensor.bytes.baseAddress else { return nil }
      let part = Part(
        bits: bits, start: UnsafeMutableRawPointer(memory.base) + start,
        columns: column..<column + tensor.shape[0])
      fettle_pack(bits, tensor.type == .q41 ? 1 : 0, blocks, part.start, inputs, tensor.shape[0])
      parts.append(part)
    }
    guard parts.reduce(0, { $0 + $1.columns.count }) == outputs else { return nil }
  }

  private static func bits(_ type: DType) -> fettle_bits? {
    switch type {
    case .q40, .q41: fettle_bits_4
    case .q80: fettle_bits_8
    default: nil
    }
  }

  /// Bytes of a number's share, against four of f32: at most.
  static let share = 9.0 / 32

  /// y = x w, or y += x w. x: `[rows, in]`, y: `[rows, out]`.
  func multiply(_ x: FloatPointer, into y: FloatPointer, adding: Bool = false, rows: Int) {
    for part in parts {
      fettle_multiply_packed(
        part.bits, part.start, x, y + part.columns.lowerBound, outputs, rows, inputs, part.columns.count,
        adding ? 1 : 0)
    }
  }

  /// Some columns of a matrix that is one tensor: y = x w, y: `[rows, stride]`.
  /// - Parameter columns: whole vectors.
  func multiply(_ x: FloatPointer, into y: FloatPointer, stride: Int, columns: Range<Int>, rows: Int) {
    let part = parts[0]
    fettle_multiply_packed(
      part.bits, part.start + fettle_packed_bytes(part.bits, inputs, columns.lowerBound), x, y, stride, rows,
      inputs, columns.count, 0)
  }

  /// Whether ``MatMul`` sums in the same order on this CPU, of which oneDNN promises nothing.
  func agrees(with matrix: Operand, _ matmul: MatMul) throws -> Bool {
    let rows = 3
    var random = RandomNumbers(seed: 0)
    let x = Floats((0..<rows * inputs).map { _ in random.uniform() - 0.5 })
    let start = (0..<rows * outputs).map { _ in random.uniform() - 0.5 }
    return try [false, true].allSatisfy { adding in
      let (found, expected) = (Floats(start), Floats(start))
      multiply(x.base, into: found.base, adding: adding, rows: rows)
      try matmul.forward(
        Operand(base: UnsafeMutableRawPointer(x.base), dtype: .f32), matrix, into: expected.base,
        adding: adding, rows: rows, k: inputs, columns: outputs)
      return memcmp(found.base, expected.base, rows * outputs * 4) == 0
    }
  }
}
