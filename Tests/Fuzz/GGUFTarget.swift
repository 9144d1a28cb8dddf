import Encoder
import Foundation

extension Target {
  static let gguf = Target(
    name: "gguf",
    corpus: {
      let folder = repository.appending(path: "Tests/EncoderTests/Reference/tiny-llama")
      let whole = try ["q4_0", "q8_0"].map {
        [UInt8](try Data(contentsOf: folder.appending(path: "model-\($0).gguf")))
      }
      // Most of a whole file are numbers, which may be any; most inputs are to hit what is checked.
      return whole + Array(repeating: smallFile, count: 6)
    },
    words: [
      "GGUF\u{3}\0\0\0", "GGUF\u{2}\0\0\0", "\0\0\0\0\0\0\0\0", "\u{1}\0\0\0\0\0\0\0", "\0\0\0\0\0\0\0\u{40}",
      "\u{7f}\u{7f}\u{7f}\u{7f}\u{7f}\u{7f}\u{7f}\u{7f}", "\u{8}\0\0\0", "\u{9}\0\0\0",
      "\u{9}\0\0\0\u{1}\0\0\0\0\0\0\0",
      "\u{c}\0\0\0", "general.architecture", "general.alignment", "split.count", "llama",
    ],
    read: { bytes, folder in
      let place = folder.appending(path: "fuzz.gguf")
      try Data(bytes).write(to: place)
      let file = try GGUF(place)
      for key in file.keys {
        do { _ = try file.value(key) } catch is ModelError {}
        _ = try? file.strings(key)
        _ = try? file.integers(key)
        _ = try? file.number(key)
      }
      for tensor in file.tensors.values {
        let numbers = tensor.array
        try Finding.require(
          numbers.count == tensor.shape.reduce(1, *), "a tensor holds more or less than its shape")
      }
    })

  /// A few keys, and a block of each type.
  private static let smallFile: [UInt8] = {
    func number(_ value: Int, bytes: Int) -> [UInt8] {
      (0..<bytes).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
    func text(_ text: String) -> [UInt8] { number(text.utf8.count, bytes: 8) + text.utf8 }
    func array(_ type: Int, _ elements: [[UInt8]]) -> [UInt8] {
      number(type, bytes: 4) + number(elements.count, bytes: 8) + elements.joined()
    }
    let keys: [(name: String, type: Int, bytes: [UInt8])] = [
      ("general.architecture", 8, text("llama")), ("general.alignment", 4, number(32, bytes: 4)),
      ("split.count", 2, number(1, bytes: 2)), ("strings", 9, array(8, ["a", "", "b c"].map(text))),
      ("booleans", 9, array(7, [[0], [1]])), ("floats", 9, array(6, [number(0x3f80_0000, bytes: 4)])),
      ("arrays", 9, array(9, [array(0, [[1], [2]]), array(9, [array(8, [text("d")])])])),
      ("long", 10, number(1 << 40, bytes: 8)), ("double", 12, number(1, bytes: 8)),
    ]
    // ggml's number of each type, and the numbers and bytes of a block.
    let types = [
      (0, 1, 4), (1, 1, 2), (30, 1, 2), (2, 32, 18), (3, 32, 20), (6, 32, 22), (7, 32, 24), (8, 32, 34),
      (12, 256, 144), (13, 256, 176), (14, 256, 210),
    ]
    var file = Array("GGUF".utf8) + number(3, bytes: 4)
    file += number(types.count, bytes: 8) + number(keys.count, bytes: 8)
    for key in keys { file += text(key.name) + number(key.type, bytes: 4) + key.bytes }
    var numbers: [UInt8] = []
    for (type, count, bytes) in types {
      file += text("blk.\(type)") + number(2, bytes: 4) + number(count, bytes: 8) + number(1, bytes: 8)
      file += number(type, bytes: 4) + number(numbers.count, bytes: 8)
      numbers += (0..<(bytes + 31) / 32 * 32).map { UInt8(truncatingIfNeeded: $0 &* 37) }
    }
    return file + Array(repeating: 0, count: (32 - file.count % 32) % 32) + numbers
  }()
}
