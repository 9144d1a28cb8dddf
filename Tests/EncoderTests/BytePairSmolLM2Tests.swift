import Encoder
import Foundation
import Testing

/// The vocabulary of SmolLM2, from the model that `make test` fetches.
@Suite struct BytePairSmolLM2Tests {
  private struct Line: Decodable {
    var text: String
    var ids: [Int32]
  }

  /// The one GGUF file where fettle keeps the model. Without it the tests that need it fail.
  static func file() throws -> URL {
    let environment = ProcessInfo.processInfo.environment
    let cache =
      environment["XDG_CACHE_HOME"].map { URL(fileURLWithPath: $0) }
      ?? FileManager.default.homeDirectoryForCurrentUser.appendingPathComponent(".cache")
    let folder = cache.appendingPathComponent("fettle/models/smollm2")
    let files =
      (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)) ?? []
    return try #require(
      files.first { $0.pathExtension == "gguf" }, "SmolLM2 is not installed. Run `make language-model`.")
  }

  static func tokenizer() throws -> BytePair {
    let gguf = try GGUF(file())
    return try BytePair(
      tokens: #require(try gguf.strings("tokenizer.ggml.tokens")),
      merges: #require(try gguf.strings("tokenizer.ggml.merges")),
      types: gguf.integers("tokenizer.ggml.token_type"),
      preTokenizer: #require(try gguf.string("tokenizer.ggml.pre")), file: "smollm2.gguf")
  }

  /// The reference reads special tokens in its texts, so a text is taken for a template here.
  @Test func `every line of the reference gives the ids of Hugging Face's tokenizer`() throws {
    let tokenizer = try Self.tokenizer()
    let lines = try TestFiles.lines("bpe.jsonl", as: Line.self)
    #expect(lines.count == 1200 && tokenizer.count == 49152)
    var withSpecials = 0
    for line in lines {
      let encoding = tokenizer.encode(tokenizer.parts(ofTemplate: line.text))
      #expect(encoding.ids == line.ids, "\(line.text.debugDescription)")
      let text = tokenizer.encode(line.text, maximumLength: 4096).ids
      if line.ids.contains(where: tokenizer.isSpecial) {
        withSpecials += 1
        #expect(!text.contains { tokenizer.isSpecial($0) })
        #expect(tokenizer.decode(text) == line.text)
      } else {
        #expect(text == line.ids)
      }
    }
    #expect(withSpecials == 2)
  }

  @Test func `decoding gives the text where every byte has a token`() throws {
    let tokenizer = try Self.tokenizer()
    let without: Set<UInt8> = [0x04, 0x06, 0x13, 0x14, 0x16, 0x1d]
    var whole = 0
    for line in try TestFiles.lines("bpe.jsonl", as: Line.self)
    where !line.text.utf8.contains(where: without.contains) {
      #expect(Array(tokenizer.decode(line.ids, specials: true).utf8) == Array(line.text.utf8))
      whole += 1
    }
    #expect(whole > 1000)
  }
}
