import Foundation

/// The safetensors format (github.com/huggingface/safetensors): the header's length in eight bytes, a JSON header that gives
/// each tensor's type, shape and place, then the numbers. A file from anywhere may be opened: whatever the header claims is
/// checked against the file before a number is read.
enum SafeTensors {
  /// Headers of real models have some ten thousand bytes.
  private static let longestHeader = 16 << 20

  private struct Entry: Decodable {
    var type: String
    var shape: [Int]
    var place: [Int]

    enum CodingKeys: String, CodingKey {
      case type = "dtype"
      case shape
      case place = "data_offsets"
    }
  }

  /// The one key of a header that is no tensor: it holds strings.
  private static let metadataKey = "__metadata__"

  /// Maps the file and finds its tensors.
  /// - Parameter required: names of tensors that are wanted; of another type than F32, F16 and BF16, they are refused, and others
  ///   are left out.
  /// - Throws: `ModelError`.
  static func open(_ file: URL, required: (String) -> Bool) throws -> (
    tensors: [String: Tensor], metadata: [String: String]
  ) {
    let mapped = try MappedFile(file)
    let name = file.lastPathComponent
    func malformed(_ reason: String) -> ModelError { .malformedWeights(file: name, reason: reason) }

    guard mapped.bytes.count >= 8 else { throw malformed("it ends within its first eight bytes") }
    let claimed = UInt64(littleEndian: mapped.bytes.loadUnaligned(as: UInt64.self))
    guard claimed <= UInt64(longestHeader) else { throw malformed("its header claims \(claimed) bytes") }
    let headerLength = Int(claimed)
    guard headerLength <= mapped.bytes.count - 8 else { throw malformed("it ends within its header") }

    let header = Data(mapped.bytes[8..<8 + headerLength])
    let numbers = UnsafeRawBufferPointer(rebasing: mapped.bytes[(8 + headerLength)...])
    let entries: [String: Entry]
    let metadata: [String: String]
    do {
      let decoded = try JSONDecoder().decode([String: Value].self, from: header)
      metadata = decoded[metadataKey]?.strings ?? [:]
      entries = try decoded.filter { $0.key != metadataKey }.mapValues { value in
        guard let entry = value.entry else {
          throw malformed("its header has an entry without type, shape and place")
        }
        return entry
      }
    } catch let error as ModelError {
      throw error
    } catch {
      throw malformed("its header is not well-formed JSON")
    }

    var tensors: [String: Tensor] = [:]
    for (key, entry) in entries.sorted(by: { $0.key < $1.key }) {
      let shown = printable(key)
      guard entry.place.count == 2, entry.place[0] >= 0, entry.place[0] <= entry.place[1]
      else { throw malformed("the tensor \(shown) has no proper place") }
      guard entry.place[1] <= numbers.count else {
        throw malformed("the tensor \(shown) ends at byte \(entry.place[1]) of \(numbers.count)")
      }
      guard let type = DType(rawValue: entry.type), !type.isQuantised else {
        if required(key) { throw ModelError.unsupportedType(tensor: shown, type: printable(entry.type)) }
        continue
      }
      var count = 1
      for dimension in entry.shape {
        let (product, overflow) = count.multipliedReportingOverflow(by: dimension)
        guard dimension >= 0, !overflow else {
          throw malformed("the tensor \(shown) has an impossible shape")
        }
        count = product
      }
      guard let size = type.bytes(of: count) else {
        throw malformed("the tensor \(shown) has an impossible shape")
      }
      let place = entry.place[0]..<entry.place[1]
      guard size == place.count else {
        throw malformed("the tensor \(shown) takes \(place.count) bytes, its shape \(size)")
      }
      tensors[key] = Tensor(
        shape: entry.shape, type: type, bytes: UnsafeRawBufferPointer(rebasing: numbers[place]), owner: mapped
      )
    }
    let places = entries.map { ($0.value.place[0], $0.value.place[1]) }.sorted { $0 < $1 }
    for (one, next) in zip(places, places.dropFirst()) where next.0 < one.1 {
      throw malformed("two of its tensors overlap")
    }
    return (tensors, metadata)
  }

  /// Writes tensors as F32, sorted by name, and waits until they are on the disk.
  static func write(_ tensors: [String: Tensor], metadata: [String: String] = ["format": "pt"], to file: URL)
    throws
  {
    let sorted = tensors.sorted { $0.key < $1.key }
    var header: [String: Any] = [metadataKey: metadata]
    var offset = 0
    for (name, tensor) in sorted {
      let end = offset + tensor.count * 4
      header[name] = ["dtype": "F32", "shape": tensor.shape, "data_offsets": [offset, end]] as [String: Any]
      offset = end
    }
    var json = try JSONSerialization.data(
      withJSONObject: header, options: [.sortedKeys, .withoutEscapingSlashes])
    json.append(contentsOf: repeatElement(UInt8(ascii: " "), count: (8 - json.count % 8) % 8))
    var start = Data(withUnsafeBytes(of: UInt64(json.count).littleEndian) { Data($0) })
    start.append(json)

    let converted = sorted.map(\.value.whole)
    try withExtendedLifetime(converted) {
      try start.withUnsafeBytes { try ModelFile.write([$0] + converted.map(\.bytes), to: file) }
    }
  }

  /// A name from a file, fit to be shown: short, and without control characters.
  private static func printable(_ name: String) -> String {
    String(
      name.unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : Character($0) }.prefix(80))
  }

  /// A header's value: a tensor's entry, or the metadata.
  private struct Value: Decodable {
    var entry: Entry?
    var strings: [String: String]?

    init(from decoder: any Decoder) throws {
      entry = try? Entry(from: decoder)
      if entry == nil { strings = try? [String: String](from: decoder) }
    }
  }
}
