import Foundation

/// A GGUF file made from pieces, whole, or wrong on purpose: what it claims need not be what it holds.
struct GGUFFile {
  struct Value {
    var type: UInt32
    var bytes: Data

    static func uint8(_ value: UInt8) -> Value { Value(type: 0, bytes: little(value)) }
    static func int8(_ value: Int8) -> Value { Value(type: 1, bytes: little(value)) }
    static func uint16(_ value: UInt16) -> Value { Value(type: 2, bytes: little(value)) }
    static func int16(_ value: Int16) -> Value { Value(type: 3, bytes: little(value)) }
    static func uint32(_ value: UInt32) -> Value { Value(type: 4, bytes: little(value)) }
    static func int32(_ value: Int32) -> Value { Value(type: 5, bytes: little(value)) }
    static func float32(_ value: Float) -> Value { Value(type: 6, bytes: little(value.bitPattern)) }
    static func boolean(_ value: UInt8) -> Value { Value(type: 7, bytes: little(value)) }
    static func string(_ value: String) -> Value { Value(type: 8, bytes: counted(value)) }
    static func uint64(_ value: UInt64) -> Value { Value(type: 10, bytes: little(value)) }
    static func int64(_ value: Int64) -> Value { Value(type: 11, bytes: little(value)) }
    static func float64(_ value: Double) -> Value { Value(type: 12, bytes: little(value.bitPattern)) }

    /// An array of values of one type.
    static func array(_ type: UInt32, count: UInt64? = nil, _ elements: [Value]) -> Value {
      Value(
        type: 9,
        bytes: elements.reduce(into: little(type) + little(count ?? UInt64(elements.count))) {
          $0 += $1.bytes
        })
    }
  }

  struct Tensor {
    var name: String
    /// Columns first.
    var dimensions: [UInt64]
    /// ggml's number.
    var type: UInt32
    var offset: UInt64
  }

  var letters = Data("GGUF".utf8)
  var version = little(UInt32(3))
  var claimedTensors: UInt64?
  var claimedKeys: UInt64?
  var metadata: [(key: String, value: Value)] = [("general.architecture", .string("llama"))]
  var tensors: [Tensor] = []
  var alignment = 32
  var numbers = Data()

  var data: Data {
    var data = letters + version
    data += little(claimedTensors ?? UInt64(tensors.count)) + little(claimedKeys ?? UInt64(metadata.count))
    for (key, value) in metadata { data += counted(key) + little(value.type) + value.bytes }
    for tensor in tensors {
      data += counted(tensor.name) + little(UInt32(tensor.dimensions.count))
      for dimension in tensor.dimensions { data += little(dimension) }
      data += little(tensor.type) + little(tensor.offset)
    }
    guard !numbers.isEmpty else { return data }
    data += Data(count: (alignment - data.count % alignment) % alignment)
    return data + numbers
  }
}

private func little<Number: FixedWidthInteger>(_ number: Number) -> Data {
  withUnsafeBytes(of: number.littleEndian) { Data($0) }
}

private func counted(_ text: String) -> Data { little(UInt64(text.utf8.count)) + Data(text.utf8) }
