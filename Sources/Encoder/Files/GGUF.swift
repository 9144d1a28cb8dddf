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
  fileprivate struct Metadata: Sendable {
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

  fileprivate struct Place: Sendable {
    let type: ValueType
    let start: Int
    var end: Int
  }

  fileprivate enum ValueType: UInt32 {
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

/// Reads on from a place in a GGUF file, and never beyond its end.
private struct GGUFReader {
  private let bytes: UnsafeRawBufferPointer
  private let file: String
  private var position: Int

  /// Real models have some thirty keys and a thousand tensors, vocabularies up to 262,144 tokens, templates of some ten thousand
  /// bytes, merges up to half a million, and arrays in no arrays.
  private enum Most {
    static let keys = 65_536
    static let tensors = 65_536
    static let elements = 1 << 20
    static let depth = 4
    static let dimensions = 4
    static let keyBytes = 65_535
    static let nameBytes = 64
    static let stringBytes = 1 << 20
    static let alignment = 1 << 20
  }

  init(_ bytes: UnsafeRawBufferPointer, file: String, position: Int = 0) {
    self.bytes = bytes
    self.file = file
    self.position = position
  }

  func malformed(_ reason: String) -> ModelError { .malformedWeights(file: file, reason: reason) }

  // MARK: Pieces

  /// What is wrong, before it is known with what: strings are read by the hundred thousand, and none of them needs its place named.
  private enum Flaw: Error {
    case endsWithin
    case tooLong(claimed: UInt64, most: Int)
    case noUTF8
    case unknownType(UInt32)
    case noBoolean(UInt8)
    case tooLarge(UInt64)
    case tooDeep

    func words(_ place: String) -> String {
      switch self {
      case .endsWithin: "it ends within \(place)"
      case .tooLong(let claimed, let most):
        "\(place) claims a length of \(claimed), and fettle reads \(most) at most"
      case .noUTF8: "\(place) is no UTF-8"
      case .unknownType(let number): "\(place) is of an unknown type, number \(number)"
      case .noBoolean(let byte): "\(place) holds \(byte) where true or false belongs"
      case .tooLarge(let number): "\(place) holds \(number), which is too large"
      case .tooDeep: "\(place) has arrays nested deeper than \(Most.depth)"
      }
    }
  }

  /// Reads on, and says what was read if it is flawed.
  private mutating func reading<Result>(
    _ place: @autoclosure () -> String, _ read: (inout GGUFReader) throws -> Result
  ) throws -> Result {
    do {
      return try read(&self)
    } catch let flaw as Flaw {
      throw malformed(flaw.words(place()))
    }
  }

  /// Walks over so many bytes.
  private mutating func take(_ count: Int) throws -> Range<Int> {
    guard count <= bytes.count - position else { throw Flaw.endsWithin }
    defer { position += count }
    return position..<position + count
  }

  private mutating func integer<Number: FixedWidthInteger>(_: Number.Type) throws -> Number {
    let place = try take(Number.bitWidth / 8)
    return Number(littleEndian: bytes.loadUnaligned(fromByteOffset: place.lowerBound, as: Number.self))
  }

  /// A count or a length, of which no more than `most` is believed.
  private mutating func count(_ most: Int) throws -> Int {
    let claimed = try integer(UInt64.self)
    guard claimed <= UInt64(most) else { throw Flaw.tooLong(claimed: claimed, most: most) }
    return Int(claimed)
  }

  private mutating func string(_ most: Int) throws -> String {
    let place = try take(try count(most))
    guard let string = String(validating: bytes[place], as: UTF8.self) else { throw Flaw.noUTF8 }
    return string
  }

  private mutating func valueType() throws -> GGUF.ValueType {
    let number = try integer(UInt32.self)
    guard let type = GGUF.ValueType(rawValue: number) else { throw Flaw.unknownType(number) }
    return type
  }

  // MARK: Header

  mutating func header() throws -> (tensors: Int, keys: Int) {
    let letters = try reading("its first four bytes") { try $0.take(4) }
    guard bytes[letters].elementsEqual("GGUF".utf8) else {
      throw malformed("it does not begin with the letters GGUF")
    }
    let version = try reading("its header") { try $0.integer(UInt32.self) }
    switch version {
    case 2, 3: break
    case 1: throw malformed("it is of GGUF's version 1, and fettle reads 2 and 3; convert the model anew")
    case _ where (1...3).contains(version.byteSwapped):
      throw malformed("it is a big-endian GGUF, and fettle reads little-endian ones; convert the model anew")
    default: throw malformed("it is of GGUF's version \(version), and fettle reads 2 and 3")
    }
    let tensors = try reading("its list of tensors") { try $0.count(Most.tensors) }
    return (tensors, try reading("its metadata") { try $0.count(Most.keys) })
  }

  // MARK: Metadata

  mutating func metadata(count: Int) throws -> [String: GGUF.Place] {
    var places: [String: GGUF.Place] = [:]
    for number in 0..<count {
      let key = try reading("its key number \(number + 1)") { try $0.string(Most.keyBytes) }
      let place = try reading("its key \(key.excerpt())") { reader in
        let type = try reader.valueType()
        var place = GGUF.Place(type: type, start: reader.position, end: reader.position)
        try reader.skip(type)
        place.end = reader.position
        return place
      }
      guard places.updateValue(place, forKey: key) == nil else {
        throw malformed("its key \(key.excerpt()) is there twice")
      }
    }
    return places
  }

  private mutating func skip(_ type: GGUF.ValueType, depth: Int = 0) throws {
    switch type {
    case .string: _ = try take(try count(Most.stringBytes))
    case .array:
      let (type, count) = try array(depth: depth)
      if let size = type.size {
        _ = try take(count * size)
      } else {
        for _ in 0..<count { try skip(type, depth: depth + 1) }
      }
    default: _ = try take(type.size ?? 0)
    }
  }

  private mutating func array(depth: Int) throws -> (type: GGUF.ValueType, count: Int) {
    guard depth < Most.depth else { throw Flaw.tooDeep }
    return (try valueType(), try count(Most.elements))
  }

  mutating func value(_ type: GGUF.ValueType, of key: String) throws -> GGUF.Value {
    try reading("its key \(key.excerpt())") { try $0.value(type) }
  }

  private mutating func value(_ type: GGUF.ValueType, depth: Int = 0) throws -> GGUF.Value {
    switch type {
    case .uint8: return .integer(Int(try integer(UInt8.self)))
    case .int8: return .integer(Int(try integer(Int8.self)))
    case .uint16: return .integer(Int(try integer(UInt16.self)))
    case .int16: return .integer(Int(try integer(Int16.self)))
    case .uint32: return .integer(Int(try integer(UInt32.self)))
    case .int32: return .integer(Int(try integer(Int32.self)))
    case .int64: return .integer(Int(try integer(Int64.self)))
    case .uint64:
      let number = try integer(UInt64.self)
      guard let counted = Int(exactly: number) else { throw Flaw.tooLarge(number) }
      return .integer(counted)
    case .float32: return .number(Double(Float(bitPattern: try integer(UInt32.self))))
    case .float64: return .number(Double(bitPattern: try integer(UInt64.self)))
    case .boolean:
      let byte = try integer(UInt8.self)
      guard byte <= 1 else { throw Flaw.noBoolean(byte) }
      return .boolean(byte == 1)
    case .string: return .string(try string(Most.stringBytes))
    case .array:
      let (type, count) = try array(depth: depth)
      var values: [GGUF.Value] = []
      values.reserveCapacity(count)
      for _ in 0..<count { values.append(try value(type, depth: depth + 1)) }
      return .array(values)
    }
  }

  // MARK: Tensors

  private struct Entry {
    let name: String
    let shape: [Int]
    let type: DType
    let offset: UInt64
    let size: Int
    var shown: String { "the tensor \(name.excerpt())" }
  }

  mutating func tensors(count: Int, alignment: Int, owner: AnyObject) throws -> [String: Tensor] {
    guard alignment > 0, alignment <= Most.alignment, alignment & (alignment - 1) == 0 else {
      throw malformed("its general.alignment is \(alignment), and has to be a power of two")
    }
    var entries: [Entry] = []
    for number in 0..<count { entries.append(try entry(number, alignment)) }
    let start = (position + alignment - 1) / alignment * alignment
    let room = max(0, bytes.count - start)

    var tensors: [String: Tensor] = [:]
    var before: (end: Int, shown: String) = (0, "")
    for entry in entries.sorted(by: { $0.offset < $1.offset }) {
      guard entry.size <= room, entry.offset <= UInt64(room - entry.size) else {
        throw malformed(
          "\(entry.shown) begins at byte \(entry.offset) and takes \(entry.size), of \(room) that are there")
      }
      let place = start + Int(entry.offset)
      guard place >= before.end else { throw malformed("\(before.shown) and \(entry.shown) overlap") }
      before = (place + entry.size, entry.shown)
      let tensor = Tensor(
        shape: entry.shape, type: entry.type,
        bytes: UnsafeRawBufferPointer(rebasing: bytes[place..<place + entry.size]), owner: owner)
      guard tensors.updateValue(tensor, forKey: entry.name) == nil else {
        throw malformed("\(entry.shown) is there twice")
      }
    }
    return tensors
  }

  private mutating func entry(_ number: Int, _ alignment: Int) throws -> Entry {
    let name = try reading("the name of tensor number \(number + 1)") { try $0.string(Most.nameBytes) }
    let shown = "the tensor \(name.excerpt())"
    let dimensions = try reading(shown) { try $0.integer(UInt32.self) }
    guard (1...UInt32(Most.dimensions)).contains(dimensions) else {
      throw malformed("\(shown) has \(dimensions) dimensions, and there are 1 to \(Most.dimensions)")
    }
    let claimed = try reading(shown) { reader in
      try (0..<dimensions).map { _ in try reader.integer(UInt64.self) }
    }
    let (typeNumber, offset) = try reading(shown) {
      (try $0.integer(UInt32.self), try $0.integer(UInt64.self))
    }

    var shape: [Int] = []
    var numbers = 1
    for claimed in claimed {
      guard let dimension = Int(exactly: claimed), dimension > 0 else {
        throw malformed("\(shown) has an impossible shape, with a dimension of \(claimed)")
      }
      let (product, overflow) = numbers.multipliedReportingOverflow(by: dimension)
      guard !overflow else {
        throw malformed("\(shown) has an impossible shape, of more numbers than can be")
      }
      numbers = product
      shape.append(dimension)
    }
    let typeName = Self.typeNames[typeNumber]
    guard let type = typeName.flatMap(DType.init(rawValue:)) else {
      throw ModelError.unsupportedType(tensor: name.excerpt(), type: typeName ?? "number \(typeNumber)")
    }
    guard shape[0] % type.block.numbers == 0 else {
      throw malformed(
        "\(shown) has an impossible shape: its rows of \(shape[0]) are no whole blocks of \(type.rawValue)")
    }
    guard let size = type.bytes(of: numbers) else {
      throw malformed("\(shown) has an impossible shape, of more bytes than can be")
    }
    guard offset % UInt64(alignment) == 0 else {
      throw malformed("\(shown) begins at byte \(offset), which is no multiple of \(alignment)")
    }
    return Entry(name: name, shape: shape.reversed(), type: type, offset: offset, size: size)
  }

  /// ggml's types by number, `enum ggml_type` in ggml.h: more than fettle reads, so that a refusal can name the others.
  private static let typeNames: [UInt32: String] = [
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 6: "Q5_0", 7: "Q5_1", 8: "Q8_0", 9: "Q8_1", 10: "Q2_K",
    11: "Q3_K",
    12: "Q4_K", 13: "Q5_K", 14: "Q6_K", 15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S",
    20: "IQ4_NL", 21: "IQ3_S", 22: "IQ2_S", 23: "IQ4_XS", 24: "I8", 25: "I16", 26: "I32", 27: "I64",
    28: "F64",
    29: "IQ1_M", 30: "BF16", 34: "TQ1_0", 35: "TQ2_0", 39: "MXFP4", 40: "NVFP4", 41: "Q1_0",
  ]
}
