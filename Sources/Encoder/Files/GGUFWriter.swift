import CKernels
import Foundation

/// Writes a GGUF file, version 3: metadata taken over from another, and tensors in the types that they have.
struct GGUFWriter {
  /// A key's type and value as they stand in a file.
  typealias Entry = (key: String, value: Data)

  private let entries: [Entry]
  private let tensors: [(name: String, tensor: Tensor)]
  private let alignment: Int

  /// - Parameter tensors: by the names that the file is to have.
  init(_ entries: [Entry], alignment: Int, tensors: [String: Tensor]) {
    self.entries = entries.sorted { $0.key < $1.key }
    self.tensors = tensors.sorted { $0.key < $1.key }.map { (name: $0.key, tensor: $0.value) }
    self.alignment = alignment
  }

  /// A key with a whole number of 32 bits.
  static func entry(_ key: String, _ number: UInt32) -> Entry {
    var value = Data()
    append(UInt32(4), to: &value)
    append(number, to: &value)
    return (key, value)
  }

  /// - Throws: `ModelError.cannotWrite`.
  func write(to file: URL) throws {
    let header = header()
    let chunks = Chunks(header: header, tensors: tensors.map(\.tensor), alignment: alignment)
    try ModelFile.write(chunks, to: file)
  }

  private func header() -> Data {
    var header = Data("GGUF".utf8)
    Self.append(UInt32(3), to: &header)
    Self.append(UInt64(tensors.count), to: &header)
    Self.append(UInt64(entries.count), to: &header)
    for entry in entries {
      Self.append(entry.key, to: &header)
      header.append(entry.value)
    }
    var offset = 0
    for (name, tensor) in tensors {
      Self.append(name, to: &header)
      Self.append(UInt32(tensor.shape.count), to: &header)
      for dimension in tensor.shape.reversed() { Self.append(UInt64(dimension), to: &header) }
      Self.append(tensor.type.ggufNumber, to: &header)
      Self.append(UInt64(offset), to: &header)
      offset += Self.padded(tensor.bytes.count, alignment)
    }
    header.append(Data(count: Self.padded(header.count, alignment) - header.count))
    return header
  }

  private static func padded(_ count: Int, _ alignment: Int) -> Int {
    (count + alignment - 1) / alignment * alignment
  }

  private static func append(_ number: some FixedWidthInteger, to data: inout Data) {
    withUnsafeBytes(of: number.littleEndian) { data.append(contentsOf: $0) }
  }

  private static func append(_ text: String, to data: inout Data) {
    append(UInt64(text.utf8.count), to: &data)
    data.append(contentsOf: text.utf8)
  }

  /// The header, then each tensor and what fills up to the next one's place.
  private struct Chunks: Sequence {
    let header: Data
    let tensors: [Tensor]
    let alignment: Int

    func makeIterator() -> AnyIterator<UnsafeRawBufferPointer> {
      let start = OwnedBytes(header)
      let filling = OwnedBytes(Data(count: alignment))
      let pieces = tensors.flatMap { tensor in
        let missing = GGUFWriter.padded(tensor.bytes.count, alignment) - tensor.bytes.count
        return [tensor.bytes, UnsafeRawBufferPointer(rebasing: filling.bytes[..<missing])]
      }
      var next = -1
      return AnyIterator {
        defer { next += 1 }
        return withExtendedLifetime((start, filling)) {
          next < 0 ? start.bytes : next < pieces.count ? pieces[next] : nil
        }
      }
    }
  }

  private final class OwnedBytes {
    let bytes: UnsafeRawBufferPointer
    init(_ data: Data) {
      let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: data.count, alignment: 16)
      copy.copyBytes(from: data)
      bytes = UnsafeRawBufferPointer(copy)
    }
    deinit { bytes.deallocate() }
  }
}

extension DType {
  /// ggml's number of the type.
  fileprivate var ggufNumber: UInt32 {
    switch self {
    case .f32: 0
    case .f16: 1
    case .q40: 2
    case .q41: 3
    case .q50: 6
    case .q51: 7
    case .q80: 8
    case .q4K: 12
    case .q5K: 13
    case .q6K: 14
    case .bf16: 30
    }
  }
}

extension Tensor {
  /// The same numbers in half the bits, IEEE 754's half precision; what is too large becomes infinite.
  func halved() -> Tensor {
    let numbers = Floats(count: count)
    copy(count: count, to: numbers.base)
    let halves = Floats(count: (count + 1) / 2)
    let bytes = UnsafeMutableRawPointer(halves.base)
    fettle_encode_f16(numbers.base, bytes.assumingMemoryBound(to: UInt16.self), count)
    return Tensor(
      shape: shape, type: .f16, bytes: UnsafeRawBufferPointer(start: bytes, count: count * 2), owner: halves)
  }
}
