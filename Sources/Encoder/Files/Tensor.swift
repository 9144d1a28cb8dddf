import CKernels
import Foundation

/// How numbers are stored, by the names of safetensors and of ggml.
package enum DType: String, Sendable {
  case f32 = "F32"
  case f16 = "F16"
  case bf16 = "BF16"
  case q40 = "Q4_0"
  case q41 = "Q4_1"
  case q50 = "Q5_0"
  case q51 = "Q5_1"
  case q80 = "Q8_0"
  case q4K = "Q4_K"
  case q5K = "Q5_K"
  case q6K = "Q6_K"

  /// Numbers that are stored together, and the bytes that they take: more than one in types that quantise by blocks.
  var block: (numbers: Int, bytes: Int) {
    switch self {
    case .f32: (1, 4)
    case .f16, .bf16: (1, 2)
    case .q40: (32, 18)
    case .q41: (32, 20)
    case .q50: (32, 22)
    case .q51: (32, 24)
    case .q80: (32, 34)
    case .q4K: (256, 144)
    case .q5K: (256, 176)
    case .q6K: (256, 210)
    }
  }

  /// Only GGUF files have blocks.
  var isQuantised: Bool { block.numbers > 1 }

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
  package let type: DType
  let bytes: UnsafeRawBufferPointer
  let owner: AnyObject

  package var count: Int { bytes.count / type.block.bytes * type.block.numbers }

  init(shape: [Int], type: DType, bytes: UnsafeRawBufferPointer, owner: AnyObject) {
    self.shape = shape
    self.type = type
    self.bytes = bytes
    self.owner = owner
  }

  init(shape: [Int], floats: Floats) {
    self.init(shape: shape, type: .f32, bytes: UnsafeRawBufferPointer(floats.buffer), owner: floats)
  }

  /// The same in f32.
  var whole: Tensor {
    guard type != .f32 else { return self }
    let numbers = Floats(count: count)
    copy(count: count, to: numbers.base)
    return Tensor(shape: shape, floats: numbers)
  }

  /// A matrix with its rows in another order: row r is row `order(r)` of this one.
  func withRows(_ order: (Int) -> Int) -> Tensor {
    let rows = shape[0]
    let width = bytes.count / rows
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 64)
    for row in 0..<rows {
      copy[row * width..<(row + 1) * width].copyBytes(
        from: bytes[order(row) * width..<(order(row) + 1) * width])
    }
    return Tensor(
      shape: shape, type: type, bytes: UnsafeRawBufferPointer(copy), owner: OwnedBytes(copy))
  }

  /// Frees bytes when nobody reads them any more.
  private final class OwnedBytes {
    private let bytes: UnsafeMutableRawBufferPointer
    init(_ bytes: UnsafeMutableRawBufferPointer) { self.bytes = bytes }
    deinit { bytes.deallocate() }
  }

  /// The numbers where they stand, if they stand there as aligned f32.
  var floats: UnsafePointer<Float>? {
    guard type == .f32, let base = bytes.baseAddress, UInt(bitPattern: base) % 4 == 0 else { return nil }
    return base.assumingMemoryBound(to: Float.self)
  }

  /// All numbers, as f32.
  package var array: [Float] {
    [Float](unsafeUninitializedCapacity: count) { buffer, written in
      if let base = buffer.baseAddress { copy(count: count, to: base) }
      written = count
    }
  }

  /// Copies `count` numbers, from number `first` on, as f32. Of a block that is not wanted whole, the part is taken.
  package func copy(from first: Int = 0, count: Int, to target: UnsafeMutablePointer<Float>) {
    precondition(first >= 0 && count >= 0 && count <= self.count - first, "numbers outside the tensor")
    guard count > 0, let base = bytes.baseAddress else { return }
    let block = type.block
    var done = 0
    while done < count {
      let (index, skipped) = (first + done).quotientAndRemainder(dividingBy: block.numbers)
      let start = base + index * block.bytes
      let whole = (count - done) / block.numbers
      if skipped == 0, whole > 0 {
        decode(start, whole, to: target + done)
        done += whole * block.numbers
      } else {
        let part = min(block.numbers - skipped, count - done)
        withUnsafeTemporaryAllocation(of: Float.self, capacity: block.numbers) { numbers in
          guard let numbers = numbers.baseAddress else { return }
          decode(start, 1, to: numbers)
          memcpy(target + done, numbers + skipped, part * 4)
        }
        done += part
      }
    }
  }

  /// Copies one row of a matrix, as f32.
  func copy(row: Int, to target: UnsafeMutablePointer<Float>) {
    copy(from: row * shape[1], count: shape[1], to: target)
  }

  /// Calls `body` with a word table where it stands, if it stands there as aligned f32; or with just the rows that the texts need,
  /// and the texts with these rows' numbers.
  func withWordRows<Result>(
    of texts: PackedTexts, _ body: (UnsafePointer<Float>, PackedTexts) throws -> Result
  ) rethrows -> Result {
    if let floats { return try body(floats, texts) }
    let rows = Floats(count: texts.rows * shape[1])
    for (row, word) in texts.words.enumerated() { copy(row: Int(word), to: rows.base + row * shape[1]) }
    var renumbered = PackedTexts()
    for range in texts.ranges { renumbered.append(range.map { Int32($0) }) }
    return try withExtendedLifetime(rows) { try body(UnsafePointer(rows.base), renumbered) }
  }

  private func decode(_ blocks: UnsafeRawPointer, _ count: Int, to target: UnsafeMutablePointer<Float>) {
    switch type {
    case .f32: memcpy(target, blocks, count * 4)
    case .f16: fettle_decode_f16(blocks, target, count)
    case .bf16: fettle_decode_bf16(blocks, target, count)
    case .q40: fettle_decode_q4_0(blocks, target, count)
    case .q41: fettle_decode_q4_1(blocks, target, count)
    case .q50: fettle_decode_q5_0(blocks, target, count)
    case .q51: fettle_decode_q5_1(blocks, target, count)
    case .q80: fettle_decode_q8_0(blocks, target, count)
    case .q4K: fettle_decode_q4_k(blocks, target, count)
    case .q5K: fettle_decode_q5_k(blocks, target, count)
    case .q6K: fettle_decode_q6_k(blocks, target, count)
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
    withExtendedLifetime(converted) { transpose(converted.base) }
  }
}
