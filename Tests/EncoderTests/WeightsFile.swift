import Encoder
import Foundation
import Testing

/// Changes a file of F32 tensors: some of its numbers, or all of them to half the size, as many published models have them.
enum WeightsFile {
  /// `edit` is given the tensor's name, the number's place in it, and the number.
  static func change(_ file: URL, _ edit: (String, Int, Float) -> Float) throws {
    let (header, numbers) = try read(file)
    var changed = numbers
    for (name, value) in header {
      guard let offsets = (value as? [String: Any])?["data_offsets"] as? [Int] else { continue }
      for index in offsets[0] / 4..<offsets[1] / 4 {
        changed[index] = edit(name, index - offsets[0] / 4, numbers[index])
      }
    }
    try write(file, header, data(changed))
  }

  /// `type`: F16 or BF16.
  static func halve(_ file: URL, as type: String) throws {
    var (header, numbers) = try read(file)
    for (name, value) in header {
      guard var entry = value as? [String: Any], let offsets = entry["data_offsets"] as? [Int] else {
        continue
      }
      entry["dtype"] = type
      entry["data_offsets"] = offsets.map { $0 / 2 }
      header[name] = entry
    }
    try write(
      file, header,
      numbers.reduce(into: Data()) { data, number in
        let half = type == "BF16" ? Reference.roundedToBFloat16(number) : halfBits(number)
        data.append(contentsOf: [UInt8(half & 0xff), UInt8(half >> 8)])
      })
  }

  /// All numbers, by their tensors' names.
  static func tensors(_ file: URL) throws -> [String: [Float]] {
    let (header, numbers) = try read(file)
    return header.compactMapValues { value in
      guard let offsets = (value as? [String: Any])?["data_offsets"] as? [Int] else { return nil }
      return Array(numbers[offsets[0] / 4..<offsets[1] / 4])
    }
  }

  /// Writes those of a file's tensors that have a name in `other`, with that one.
  static func rename(_ file: URL, to other: URL, _ name: (String) -> String?) throws {
    let (header, numbers) = try read(file)
    let renamed = header.compactMap { key, value in name(key).map { ($0, value) } }
    try write(other, Dictionary(uniqueKeysWithValues: renamed), data(numbers))
  }

  static func add(_ tensors: [String: (shape: [Int], numbers: [Float])], to file: URL) throws {
    var (header, numbers) = try read(file)
    for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
      let start = numbers.count
      numbers += tensor.numbers
      header[name] =
        ["dtype": "F32", "shape": tensor.shape, "data_offsets": [4 * start, 4 * numbers.count]]
        as [String: Any]
    }
    try write(file, header, data(numbers))
  }

  private static func data(_ numbers: [Float]) -> Data {
    numbers.map(\.bitPattern.littleEndian).withUnsafeBytes { Data($0) }
  }

  private static func read(_ file: URL) throws -> (header: [String: Any], numbers: [Float]) {
    let data = try Data(contentsOf: file)
    let length = data.prefix(8).enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
    let header = try #require(JSONSerialization.jsonObject(with: data[8..<8 + length]) as? [String: Any])
    let numbers = data[(8 + length)...].withUnsafeBytes { bytes in
      stride(from: 0, to: bytes.count, by: 4).map {
        Float(bitPattern: bytes.loadUnaligned(fromByteOffset: $0, as: UInt32.self))
      }
    }
    return (header, numbers)
  }

  private static func write(_ file: URL, _ header: [String: Any], _ numbers: Data) throws {
    let json = try JSONSerialization.data(withJSONObject: header)
    try (withUnsafeBytes(of: UInt64(json.count).littleEndian) { Data($0) } + json + numbers).write(to: file)
  }

  /// IEEE 754 half precision, cut and not rounded; numbers that are too small become 0.
  private static func halfBits(_ number: Float) -> UInt16 {
    let bits = number.bitPattern
    let sign = UInt16(bits >> 16) & 0x8000
    let exponent = Int(bits >> 23 & 0xff) - 112
    return exponent <= 0 ? sign : sign | UInt16(exponent) << 10 | UInt16(bits >> 13 & 0x3ff)
  }
}
