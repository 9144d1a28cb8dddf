import Encoder
import Foundation
import Testing

/// GGUF files: what a whole one holds, and that a damaged or hostile one gets an error that says what is wrong.
@Suite struct GGUFTests {
  /// One key of each kind, a matrix of f32 and one of Q8_0.
  private static let whole: GGUFFile = {
    var file = GGUFFile()
    file.metadata += [
      ("a.uint8", .uint8(200)), ("a.int8", .int8(-100)), ("a.uint16", .uint16(60_000)),
      ("a.int16", .int16(-30_000)), ("a.uint32", .uint32(4_000_000_000)), ("a.int32", .int32(-2_000_000_000)),
      ("a.uint64", .uint64(1 << 40)), ("a.int64", .int64(-1 << 40)), ("a.float32", .float32(0.5)),
      ("a.float64", .float64(1e-300)), ("a.boolean", .boolean(1)), ("a.string", .string("Grüße, 東京")),
      ("some.strings", .array(8, [.string("a"), .string(""), .string("ab c")])),
      ("some.integers", .array(5, [.int32(1), .int32(-1)])),
      ("some.numbers", .array(6, [.float32(1), .float32(0.25)])),
      ("some.arrays", .array(9, [.array(0, [.uint8(1), .uint8(2)]), .array(0, [])])),
    ]
    file.tensors = [
      .init(name: "matrix", dimensions: [3, 2], type: 0, offset: 0),
      .init(name: "blocks", dimensions: [32, 1], type: 8, offset: 32),
    ]
    file.numbers = (1...6).reduce(into: Data()) { data, number in
      withUnsafeBytes(of: Float(number).bitPattern.littleEndian) { data += Data($0) }
    }
    // 0.5 as a half, then -16 to 15.
    file.numbers += Data(count: 8) + Data([0x00, 0x38]) + Data((-16..<16).map { UInt8(bitPattern: $0) })
    return file
  }()

  private func open(_ data: Data, _ body: (GGUF) throws -> Void = { _ in }) throws {
    try TestFiles.withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("model.gguf")
      try data.write(to: file)
      try body(GGUF(file))
    }
  }

  private func numbers(_ tensor: Tensor, _ first: Int, _ count: Int) -> [Float] {
    [Float](unsafeUninitializedCapacity: count) { buffer, written in
      if let base = buffer.baseAddress { tensor.copy(from: first, count: count, to: base) }
      written = count
    }
  }

  /// Reads everything that a file holds, as far as it can be read.
  private func readAll(_ file: GGUF) {
    for key in file.keys { _ = try? file.value(key) }
    for tensor in file.tensors.values { _ = tensor.array }
  }

  // MARK: Whole files

  @Test("Every kind of value, and tensors rows first", arguments: [2, 3] as [UInt8]) func wholeFile(
    _ version: UInt8
  ) throws {
    var file = Self.whole
    file.version = Data([version, 0, 0, 0])
    try open(file.data) { file in
      #expect(file.architecture == "llama")
      #expect(file.keys.count == 17)
      let integers = try ["uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64"].map {
        try file.integer("a.\($0)")
      }
      #expect(
        integers == [
          200, -100, 60_000, -30_000, 4_000_000_000, -2_000_000_000, 1_099_511_627_776, -1_099_511_627_776,
        ])
      #expect(try file.number("a.float32") == 0.5)
      #expect(try file.number("a.float64") == 1e-300)
      #expect(try file.number("a.int8") == -100)
      #expect(try file.boolean("a.boolean") == true)
      #expect(try file.string("a.string") == "Grüße, 東京")
      #expect(try file.strings("some.strings") == ["a", "", "ab c"])
      #expect(try file.integers("some.integers") == [1, -1])
      #expect(try file.numbers("some.numbers") == [1, 0.25])
      #expect(try file.value("some.arrays") == .array([.array([.integer(1), .integer(2)]), .array([])]))
      #expect(try file.string("no.such.key") == nil)
      #expect(file.tensors.count == 2)
      #expect(file.tensors["matrix"]?.shape == [2, 3])
      #expect(file.tensors["matrix"]?.array == [1, 2, 3, 4, 5, 6])
      #expect(file.tensors["blocks"]?.shape == [1, 32])
      #expect(file.tensors["blocks"]?.array == (-16..<16).map { Float($0) / 2 })
    }
  }

  @Test("An alignment of its own") func ownAlignment() throws {
    var file = GGUFFile()
    file.metadata.append(("general.alignment", .uint32(8)))
    file.alignment = 8
    file.tensors = [
      .init(name: "one", dimensions: [2], type: 0, offset: 0),
      .init(name: "two", dimensions: [1], type: 0, offset: 8),
    ]
    file.numbers = Data([0, 0, 0x80, 0x3f, 0, 0, 0, 0x40, 0, 0, 0x40, 0x40])
    try open(file.data) { file in
      #expect(file.tensors.mapValues(\.array) == ["one": [1, 2], "two": [3]])
    }
  }

  @Test("A vocabulary of a quarter of a million tokens is read in one go", .timeLimit(.minutes(1)))
  func largeVocabulary() throws {
    let tokens = (0..<262_144).map { "Ġtoken\($0)" }
    var file = GGUFFile()
    file.metadata.append(("tokenizer.ggml.tokens", .array(8, tokens.map { .string($0) })))
    try open(file.data) { file in
      let read = try file.strings("tokenizer.ggml.tokens")
      #expect(read == tokens)
    }
  }

  @Test("A value of another kind than asked for is an error that names the key") func otherKind() throws {
    try open(Self.whole.data) { file in
      for read: () throws -> Void in [
        { _ = try file.integer("a.string") }, { _ = try file.string("a.uint8") },
        { _ = try file.number("a.string") }, { _ = try file.boolean("a.uint8") },
        { _ = try file.strings("a.string") }, { _ = try file.integers("some.numbers") },
        { _ = try file.numbers("some.arrays") },
      ] {
        let error = #expect(throws: ModelError.self, performing: read)
        #expect(error?.description.contains("does not hold") == true)
      }
    }
  }

  // MARK: Hostile files

  /// For what is changed a thousand times: a file written anew each time may wait for the disk each time.
  private func withFile(_ data: Data, _ body: (URL, FileHandle) throws -> Void) throws {
    try TestFiles.withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("model.gguf")
      try data.write(to: file)
      let handle = try FileHandle(forUpdating: file)
      defer { try? handle.close() }
      try body(file, handle)
    }
  }

  @Test("A file cut anywhere is refused") func truncated() throws {
    let data = Self.whole.data
    try withFile(data) { file, handle in
      for size in (0..<data.count).reversed() {
        try handle.truncate(atOffset: UInt64(size))
        let error = #expect(throws: ModelError.self, "cut to \(size)") { try GGUF(file) }
        #expect(error?.code == "model-weights-malformed")
      }
    }
  }

  @Test(
    "A file with any one byte changed is read or refused", arguments: [0x00, 0x7f, 0x80, 0xff] as [UInt8])
  func changed(_ byte: UInt8) throws {
    let data = Self.whole.data
    var refused = 0
    try withFile(data) { file, handle in
      func write(_ byte: UInt8, at place: Int) throws {
        try handle.seek(toOffset: UInt64(place))
        try handle.write(contentsOf: Data([byte]))
      }
      for (place, whole) in data.enumerated() where whole != byte {
        try write(byte, at: place)
        do {
          readAll(try GGUF(file))
        } catch is ModelError {
          refused += 1
        }
        try write(whole, at: place)
      }
    }
    #expect(refused > 50)
  }

  struct Attack: Sendable, CustomTestStringConvertible {
    let name: String
    let words: String
    let change: @Sendable (inout GGUFFile) -> Void
    var testDescription: String { name }

    init(_ name: String, says words: String, _ change: @escaping @Sendable (inout GGUFFile) -> Void) {
      self.name = name
      self.words = words
      self.change = change
    }
  }

  @Test(
    "Files of another kind",
    arguments: [
      Attack("other letters", says: "letters GGUF") { $0.letters = Data("GGML".utf8) },
      Attack("version 1", says: "version 1") { $0.version = Data([1, 0, 0, 0]) },
      Attack("a version to come", says: "version 4") { $0.version = Data([4, 0, 0, 0]) },
      Attack("version 0", says: "version 0") { $0.version = Data(count: 4) },
      Attack("big endian", says: "big-endian") { $0.version = Data([0, 0, 0, 3]) },
      Attack("a part of a split model", says: "one of 3 parts") {
        $0.metadata.append(("split.count", .uint16(3)))
      },
      Attack("no architecture", says: "general.architecture") { $0.metadata.removeFirst() },
      Attack("an architecture that is a number", says: "general.architecture does not hold text") {
        $0.metadata[0].value = .uint8(1)
      },
    ]) func otherFiles(_ attack: Attack) throws
  { try expectRefused(attack) }

  @Test(
    "Metadata that lies",
    arguments: [
      Attack("more keys than can be", says: "its metadata claims") { $0.claimedKeys = .max },
      Attack("more keys than are there", says: "its key number") { $0.claimedKeys = 60_000 },
      Attack("a key twice", says: "general.architecture is there twice") {
        $0.metadata.append($0.metadata[0])
      },
      Attack("a long key", says: "claims a length of 70000") {
        $0.metadata.append((String(repeating: "k", count: 70_000), .uint8(0)))
      },
      Attack("a type that is none", says: "key odd is of an unknown type, number 13") {
        $0.metadata.append(("odd", .init(type: 13, bytes: Data(count: 8))))
      },
      Attack("a string longer than the file", says: "key odd") {
        $0.metadata.append(("odd", .init(type: 8, bytes: Data([0, 0, 8, 0, 0, 0, 0, 0]))))
      },
      Attack("a string longer than can be", says: "key odd claims a length of 18446744073709551615") {
        $0.metadata.append(("odd", .init(type: 8, bytes: Data(repeating: 255, count: 8))))
      },
      Attack("an array longer than the file", says: "ends within its key odd") {
        $0.metadata.append(("odd", .array(12, count: 1 << 20, [])))
      },
      Attack("an array of more strings than are there", says: "key odd") {
        $0.metadata.append(("odd", .array(8, count: 1 << 20, [.string("a")])))
      },
      Attack("an array longer than can be", says: "key odd claims a length of") {
        $0.metadata.append(("odd", .array(0, count: 1 << 63, [])))
      },
      Attack("an array of a type that is none", says: "key odd is of an unknown type") {
        $0.metadata.append(("odd", .array(99, [])))
      },
      Attack("arrays in arrays without end", says: "key odd has arrays nested deeper") {
        let deep = (0..<100_000).reduce(into: Data()) { data, _ in
          data += Data([9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0])
        }
        $0.metadata.append(("odd", .init(type: 9, bytes: deep)))
      },
      Attack("an alignment of 0", says: "general.alignment is 0") {
        $0.metadata.append(("general.alignment", .uint32(0)))
      },
      Attack("an alignment of 24", says: "power of two") {
        $0.metadata.append(("general.alignment", .uint32(24)))
      },
      Attack("a huge alignment", says: "general.alignment") {
        $0.metadata.append(("general.alignment", .uint64(1 << 62)))
      },
      Attack("a negative alignment", says: "general.alignment is -32") {
        $0.metadata.append(("general.alignment", .int64(-32)))
      },
      Attack("an alignment that is text", says: "does not hold a whole number") {
        $0.metadata.append(("general.alignment", .string("32")))
      },
    ]) func lyingMetadata(_ attack: Attack) throws
  { try expectRefused(attack) }

  @Test(
    "Tensors that lie",
    arguments: [
      Attack("more tensors than can be", says: "list of tensors claims") { $0.claimedTensors = .max },
      Attack("more tensors than are there", says: "tensor") { $0.claimedTensors = 60_000 },
      Attack("a long name", says: "claims a length of 65") {
        $0.tensors[0].name = String(repeating: "n", count: 65)
      },
      Attack("a name twice", says: "the tensor matrix is there twice") { $0.tensors[1].name = "matrix" },
      Attack("no dimension", says: "tensor matrix has 0 dimensions") { $0.tensors[0].dimensions = [] },
      Attack("five dimensions", says: "tensor matrix has 5 dimensions") {
        $0.tensors[0].dimensions = [1, 1, 1, 1, 1]
      },
      Attack("a dimension of 0", says: "tensor matrix has an impossible shape") {
        $0.tensors[0].dimensions = [3, 0]
      },
      Attack("a dimension too large to count", says: "tensor matrix has an impossible shape") {
        $0.tensors[0].dimensions = [1 << 63]
      },
      Attack("a product that overflows", says: "tensor matrix has an impossible shape") {
        $0.tensors[0].dimensions = [1 << 32, 1 << 32]
      },
      Attack("bytes that overflow", says: "tensor matrix has an impossible shape") {
        $0.tensors[0].dimensions = [1 << 62]
      },
      Attack("rows that are no whole blocks", says: "no whole blocks of Q8_0") {
        $0.tensors[1].dimensions = [16, 2]
      },
      Attack("more numbers than the file has", says: "tensor blocks begins at byte 32") {
        $0.tensors[1].dimensions = [32, 2]
      },
      Attack("a place behind the end", says: "tensor blocks begins at byte") { $0.tensors[1].offset = 96 },
      Attack("the farthest place", says: "tensor blocks begins at byte 18446744073709551584") {
        $0.tensors[1].offset = .max - 31
      },
      Attack("a place off the alignment", says: "no multiple of 32") { $0.tensors[0].offset = 4 },
      Attack("two in one place", says: "overlap") { $0.tensors[1].offset = 0 },
      Attack("one that reaches into the next", says: "tensor matrix and the tensor blocks overlap") {
        $0.tensors[0].dimensions = [3, 3]
      },
    ]) func lyingTensors(_ attack: Attack) throws
  { try expectRefused(attack) }

  private func expectRefused(_ attack: Attack) throws {
    var file = Self.whole
    attack.change(&file)
    let error = #expect(throws: ModelError.self) { try open(file.data) }
    guard case .malformedWeights("model.gguf", let reason) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(reason.contains(attack.words))
  }

  @Test("A type that fettle does not read is refused by its name, or by its number") func unknownTypes()
    throws
  {
    for (number, name) in [(10, "Q2_K"), (23, "IQ4_XS"), (26, "I32"), (4, "number 4"), (1000, "number 1000")]
    {
      var file = Self.whole
      file.tensors[1].type = UInt32(number)
      #expect(throws: ModelError.unsupportedType(tensor: "blocks", type: name)) { try open(file.data) }
    }
  }

  @Test("Values that are none are refused when they are read") func badValues() throws {
    var file = Self.whole
    file.metadata += [
      ("bad.boolean", .boolean(2)), ("bad.integer", .uint64(.max)),
      ("bad.text", .init(type: 8, bytes: Data([2, 0, 0, 0, 0, 0, 0, 0, 0xc3, 0x28]))),
    ]
    try open(file.data) { file in
      for (key, words) in [
        ("bad.boolean", "holds 2"), ("bad.integer", "too large"), ("bad.text", "no UTF-8"),
      ] {
        let error = #expect(throws: ModelError.self) { try file.value(key) }
        #expect(error?.description.contains("its key \(key)") == true)
        #expect(error?.description.contains(words) == true)
      }
    }
  }

  @Test("What a hostile name would do to a terminal is written out") func hostileName() throws {
    var file = Self.whole
    file.tensors[0].name = "\u{1b}[2J"
    file.tensors[0].dimensions = []
    let error = #expect(throws: ModelError.self) { try open(file.data) }
    #expect(error?.description.contains("\u{1b}") == false)
    #expect(error?.description.contains("[2J") == true)
  }

  // MARK: Numbers

  /// Made by Tests/Peers/blocks.py.
  private struct Blocks: Decodable {
    struct One: Decodable {
      let blocks: String
      let numbers: String
    }
    let types: [String: One]
  }

  private static func bytes(_ hex: String) -> [UInt8] {
    let digits = hex.utf8.map { UInt8(Character(Unicode.Scalar($0)).hexDigitValue ?? 0) }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
  }

  @Test(
    "Blocks become the numbers that gguf-py makes of them, to the last bit, whole and in part",
    arguments: [
      ("F16", 1), ("BF16", 30), ("Q4_0", 2), ("Q4_1", 3), ("Q5_0", 6), ("Q5_1", 7), ("Q8_0", 8), ("Q4_K", 12),
      ("Q5_K", 13), ("Q6_K", 14),
    ] as [(String, UInt32)])
  func blocks(_ name: String, _ number: UInt32) throws {
    let all = try JSONDecoder().decode(
      Blocks.self, from: Data(contentsOf: TestFiles.reference("quantised-blocks.json")))
    let known = try #require(all.types[name])
    let bits = Self.bytes(known.numbers)
    let expected = stride(from: 0, to: bits.count, by: 4).map { place in
      Float(bitPattern: bits[place..<place + 4].reduce(0) { $0 << 8 | UInt32($1) })
    }
    func isSame(_ ours: [Float], _ theirs: some Sequence<Float>) -> Bool {
      ours.elementsEqual(theirs) { $0.bitPattern == $1.bitPattern || ($0.isNaN && $1.isNaN) }
    }
    // What scales the blocks is now and then infinite or not a number, and most often neither.
    #expect(expected.count { $0.isFinite && $0 != 0 } > expected.count / 3)

    var file = GGUFFile()
    file.tensors = [.init(name: "blocks", dimensions: [UInt64(expected.count)], type: number, offset: 0)]
    file.numbers = Data(Self.bytes(known.blocks))
    try open(file.data) { file in
      let tensor = try #require(file.tensors["blocks"])
      #expect(tensor.type.rawValue == name)
      #expect(tensor.count == expected.count)
      #expect(isSame(tensor.array, expected))
      for first in [0, 1, 15, 16, 31, 32, 33, expected.count - 1, expected.count] {
        for count in [0, 1, 17, 31, 32, 33, 64, 257, expected.count] where first + count <= expected.count {
          #expect(
            isSame(numbers(tensor, first, count), expected[first..<first + count]), "\(first), \(count)")
        }
      }
    }
  }

  /// The names of Hugging Face's Llama. The rows of queries and keys stand in another order in a GGUF, so they are left out.
  private func name(_ name: String) -> String? {
    let parts = name.split(separator: ".").map(String.init)
    guard parts[0] == "blk" else {
      return ["token_embd": "model.embed_tokens.weight", "output_norm": "model.norm.weight"][parts[0]]
    }
    let own = [
      "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj", "ffn_gate": "mlp.gate_proj",
      "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj", "attn_norm": "input_layernorm",
      "ffn_norm": "post_attention_layernorm",
    ]
    return own[parts[2]].map { "model.layers.\(parts[1]).\($0).weight" }
  }

  /// The share of a matrix's root mean square that its rounding takes.
  private static let coarseness: [(String, Double)] = [
    ("f32", 0), ("bf16", 0.003), ("f16", 0.0004), ("q8_0", 0.01), ("q5_1", 0.05), ("q5_0", 0.06),
    ("q4_1", 0.1), ("q4_0", 0.12),
  ]

  @Test("A model's GGUF holds the numbers of its safetensors, rounded", arguments: coarseness)
  func againstSafetensors(_ type: String, _ coarseness: Double) throws {
    let folder = try TestFiles.reference("tiny-llama")
    let expected = try WeightsFile.tensors(folder.appendingPathComponent("model.safetensors"))
    let file = try GGUF(folder.appendingPathComponent("model-\(type).gguf"))
    #expect(file.tensors.count == expected.count)
    #expect(try file.integer("llama.block_count") == 3)
    #expect(try file.strings("tokenizer.ggml.tokens")?.count == 384)
    #expect(try file.strings("tokenizer.ggml.merges")?.first == "Ġ t")
    #expect(try file.integers("tokenizer.ggml.token_type")?.prefix(4) == [3, 3, 3, 1])
    var compared = 0
    for (own, tensor) in file.tensors {
      guard let name = name(own) else { continue }
      let ours = tensor.array
      let theirs = try #require(expected[name])
      try #require(ours.count == theirs.count)
      let isRounded = tensor.type.rawValue != "F32"
      #expect(!isRounded || tensor.type.rawValue.lowercased() == type)
      let error = zip(ours, theirs).reduce(0) { $0 + pow(Double($1.0 - $1.1), 2) }
      let size = theirs.reduce(0) { $0 + pow(Double($1), 2) }
      #expect((error / size).squareRoot() <= (isRounded ? coarseness : 0), "\(own)")
      compared += 1
      switch tensor.type.rawValue {
      case "BF16":
        #expect(
          ours.map(\.bitPattern) == theirs.map { UInt32(Reference.roundedToBFloat16($0)) << 16 }, "\(own)")
      case "F16":
        // Half of the last place of eleven bits, or of the smallest number.
        #expect(zip(ours, theirs).allSatisfy { abs($0 - $1) <= max(abs($1) * 0x1p-11, 0x1p-25) }, "\(own)")
      default: break
      }
    }
    #expect(compared == 3 * 7 + 2)
  }
}
