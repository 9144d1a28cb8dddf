import Basics
import Foundation

/// One GGUF file, versions 2 and 3 (github.com/ggml-org/ggml/blob/master/docs/gguf.md): metadata by keys, then each tensor's name,
/// shape, type and place, then the numbers. A file from anywhere may be opened: whatever it claims is checked against the file
/// before it is used. Opening walks over the metadata once and keeps where each value stands; values are read when asked for.
///
///     let file = try GGUF(URL(filePath: "SmolLM2-135M-Instruct.Q4_1.gguf"))
///     file.architecture                                  // "llama"
///     try file.integer("llama.block_count")              // 30
///     try file.strings("tokenizer.ggml.tokens")?.count   // 49152
///     file.tensors["token_embd.weight"]?.shape           // [49152, 576], type .q80
package struct GGUF: Sendable {
  /// By name; views of the mapped file. Shapes are rows first, `[rows, columns]`, as in safetensors; a GGUF writes columns first.
  package let tensors: [String: Tensor]
  /// Which family of models this is, as `general.architecture` says.
  package let architecture: String
  /// The file's own name, for errors.
  package var file: String { metadata.file }
  private let metadata: Metadata

  /// Maps the file, and finds its metadata and its tensors.
  /// - Throws: `ModelError`: `.malformedWeights` for a file that is damaged, hostile, split, or of another version;
  ///   `.unsupportedType` for a tensor of a type that is not in `DType`.
  package init(_ file: URL) throws {
    let mapped = try MappedFile(file)
    var reader = GGUFReader(mapped.bytes, file: file.lastPathComponent)
    let counts = try reader.header()
    let places = try reader.metadata(count: counts.keys)
    metadata = Metadata(mapped: mapped, file: file.lastPathComponent, places: places)
    if let parts = try metadata.integer("split.count"), parts > 1 {
      throw reader.malformed(
        "it is one of \(parts) parts of a split model; join them with llama-gguf-split --merge")
    }
    guard let name = try metadata.string("general.architecture") else {
      throw reader.malformed("it does not say its general.architecture")
    }
    architecture = name
    tensors = try reader.tensors(
      count: counts.tensors, alignment: metadata.integer("general.alignment") ?? 32, owner: mapped)
  }

  package enum Value: Equatable, Sendable {
    case integer(Int)
    case number(Double)
    case boolean(Bool)
    case string(String)
    case array([Value])
  }

  /// The keys of the metadata, sorted.
  package var keys: [String] { metadata.places.keys.sorted() }

  /// All keys, each with its type and value as they stand in the file, for writing them into another.
  func entries() -> [(key: String, value: Data)] {
    metadata.places.map { key, place in
      var value = withUnsafeBytes(of: place.type.rawValue.littleEndian) { Data($0) }
      value.append(contentsOf: metadata.mapped.bytes[place.start..<place.end])
      return (key, value)
    }
  }

  /// What stands under a key; nil where there is no such key.
  /// - Throws: `ModelError.malformedWeights` for text that is no UTF-8, a boolean that is neither 0 nor 1, and the like.
  package func value(_ key: String) throws -> Value? { try metadata.value(key) }

  // Each of these is nil where there is no such key, and throws `ModelError.malformedWeights` where it holds something else.

  package func string(_ key: String) throws -> String? { try metadata.string(key) }
  package func integer(_ key: String) throws -> Int? { try metadata.integer(key) }
  package func boolean(_ key: String) throws -> Bool? {
    try metadata.read(key, "true or false", \.boolean)
  }
  /// Whole or not.
  package func number(_ key: String) throws -> Double? { try metadata.read(key, "a number", \.number) }

  package func strings(_ key: String) throws -> [String]? {
    try metadata.elements(key, "a list of strings", \.string)
  }
  package func integers(_ key: String) throws -> [Int]? {
    try metadata.elements(key, "a list of whole numbers", \.integer)
  }
  package func numbers(_ key: String) throws -> [Double]? {
    try metadata.elements(key, "a list of numbers", \.number)
  }
}

extension GGUF.Value {
  fileprivate var integer: Int? { if case .integer(let value) = self { value } else { nil } }
  fileprivate var boolean: Bool? { if case .boolean(let value) = self { value } else { nil } }
  fileprivate var string: String? { if case .string(let value) = self { value } else { nil } }
  fileprivate var elements: [GGUF.Value]? { if case .array(let values) = self { values } else { nil } }
  fileprivate var number: Double? {
    switch self {
    case .number(let value): value
    case .integer(let value): Double(value)
    default: nil
    }
  }
}

extension GGUF {
  /// Where each key's value stands in the mapped file.
  struct Metadata: Sendable {
    let mapped: MappedFile
    let file: String
    let places: [String: Place]

    func value(_ key: String) throws -> Value? {
      guard let place = places[key] else { return nil }
      var reader = GGUFReader(mapped.bytes, file: file, position: place.start)
      return try reader.value(place.type, of: key)
    }

    func string(_ key: String) throws -> String? { try read(key, "text", \.string) }
    func integer(_ key: String) throws -> Int? { try read(key, "a whole number", \.integer) }

    func read<Wanted>(_ key: String, _ wanted: String, _ cast: (Value) -> Wanted?) throws -> Wanted? {
      guard let value = try value(key) else { return nil }
      guard let cast = cast(value) else { throw unfit(key, wanted) }
      return cast
    }

    func elements<Wanted>(_ key: String, _ wanted: String, _ cast: (Value) -> Wanted?) throws -> [Wanted]? {
      try read(key, wanted, \.elements)?.map { element in
        guard let cast = cast(element) else { throw unfit(key, wanted) }
        return cast
      }
    }

    private func unfit(_ key: String, _ wanted: String) -> ModelError {
      .malformedWeights(file: file, reason: "its key \(key.excerpt()) does not hold \(wanted)")
    }
  }

  struct Place: Sendable {
    let type: ValueType
    let start: Int
    let end: Int
  }

  enum ValueType: UInt32 {
    case uint8, int8, uint16, int16, uint32, int32, float32, boolean, string, array, uint64, int64, float64

    /// Bytes of one; nil for strings and arrays, which say it themselves.
    var size: Int? {
      switch self {
      case .uint8, .int8, .boolean: 1
      case .uint16, .int16: 2
      case .uint32, .int32, .float32: 4
      case .uint64, .int64, .float64: 8
      case .string, .array: nil
      }
    }
  }
}
