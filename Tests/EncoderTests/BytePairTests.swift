import Encoder
import Foundation
import Testing

/// `Reference/byte-pair` was written by `Tests/Peers/byte_pair.py` with tokenizers 0.23.3: a vocabulary of 702 tokens and 340 nasty
/// strings, each with its ids by the rules of four families of models.
@Suite struct BytePairTests {
  static let families = ["gpt-2", "smollm", "llama-bpe", "qwen2"]

  private struct Line: Decodable {
    var text: String
    var decoded: String
    var ids: [String: [Int32]]
  }

  private static func lines() throws -> [Line] { try TestFiles.lines("byte-pair/ids.jsonl", as: Line.self) }

  /// The fixture's `tokenizer.json` as a dictionary, to be changed.
  private typealias File = [String: Any]

  private static func file(_ family: String = "gpt-2") throws -> File {
    func read(_ name: String) throws -> File {
      let data = try Data(contentsOf: TestFiles.reference("byte-pair/\(name)"))
      return try #require(JSONSerialization.jsonObject(with: data) as? File)
    }
    var file = try read("tokenizer.json")
    let variant = try #require(read("variants.json")[family] as? File)
    file["pre_tokenizer"] = variant["pre_tokenizer"]
    file["normalizer"] = variant["normalizer"]
    var model = try #require(file["model"] as? File)
    model["ignore_merges"] = variant["ignore_merges"]
    file["model"] = model
    return file
  }

  private static func tokenizer(_ file: File) throws -> BytePair {
    try TestFiles.withTemporaryFolder { folder in
      try JSONSerialization.data(withJSONObject: file).write(
        to: folder.appendingPathComponent("tokenizer.json"))
      return try BytePair(folder: folder)
    }
  }

  private static func tokenizer(_ family: String = "gpt-2") throws -> BytePair { try tokenizer(file(family)) }

  /// What of the file a GGUF has.
  private static func arrays() throws -> (tokens: [String], merges: [String], types: [Int]) {
    let file = try file()
    let model = try #require(file["model"] as? File)
    let vocabulary = try #require(model["vocab"] as? [String: Int])
    let pairs = try #require(model["merges"] as? [[String]])
    let added = try #require(file["added_tokens"] as? [File])
    var tokens = Array(repeating: "", count: vocabulary.count + 1)
    var types = Array(repeating: 1, count: tokens.count)
    for (token, id) in vocabulary { tokens[id] = token }
    for token in added {
      let id = try #require(token["id"] as? Int)
      tokens[id] = try #require(token["content"] as? String)
      types[id] = token["special"] as? Bool == true ? 3 : 4
    }
    return (tokens, pairs.map { $0.joined(separator: " ") }, types)
  }

  // MARK: - Numbers

  @Test("Nasty strings give the ids of Hugging Face's tokenizers, by tokenizer.json", arguments: families)
  func tokenizerFile(_ family: String) throws {
    let tokenizer = try Self.tokenizer(family)
    #expect(tokenizer.count == 702)
    for line in try Self.lines() {
      #expect(
        tokenizer.encode(line.text, maximumLength: 4096).ids == line.ids[family],
        "\(line.text.debugDescription)")
    }
  }

  @Test("Nasty strings give the ids of Hugging Face's tokenizers, by a GGUF's arrays", arguments: families)
  func arrays(_ family: String) throws {
    let (tokens, merges, types) = try Self.arrays()
    let tokenizer = try BytePair(
      tokens: tokens, merges: merges, types: types, preTokenizer: family, file: "tiny.gguf")
    for line in try Self.lines() {
      #expect(
        tokenizer.encode(line.text, maximumLength: 4096).ids == line.ids[family],
        "\(line.text.debugDescription)")
    }
  }

  @Test func `the older form of merges, two tokens with a blank between, gives the same ids`() throws {
    var file = try Self.file()
    var model = try #require(file["model"] as? File)
    model["merges"] = try Self.arrays().merges
    file["model"] = model
    let tokenizer = try Self.tokenizer(file)
    for line in try Self.lines() {
      #expect(
        tokenizer.encode(line.text, maximumLength: 4096).ids == line.ids["gpt-2"],
        "\(line.text.debugDescription)")
    }
  }

  @Test func `many threads that ask at once get the same ids`() throws {
    let tokenizer = try Self.tokenizer()
    let lines = try Self.lines()
    DispatchQueue.concurrentPerform(iterations: 8) { _ in
      for line in lines { #expect(tokenizer.encode(line.text, maximumLength: 4096).ids == line.ids["gpt-2"]) }
    }
  }

  // MARK: - Back

  @Test func `decoding gives what Hugging Face's tokenizers gives, and the text where no byte was dropped`()
    throws
  {
    let tokenizer = try Self.tokenizer()
    var whole = 0
    for line in try Self.lines() {
      let ids = tokenizer.encode(line.text, maximumLength: 4096).ids
      let decoded = tokenizer.decode(ids, specials: true)
      #expect(Array(decoded.utf8) == Array(line.decoded.utf8), "\(line.text.debugDescription)")
      if !line.text.utf8.contains(4), !line.text.utf8.contains(6) {
        #expect(Array(decoded.utf8) == Array(line.text.utf8), "\(line.text.debugDescription)")
        whole += 1
      }
    }
    #expect(whole > 280)
  }

  @Test func `an answer shown token by token is the answer, and no piece ends inside a character`() throws {
    let tokenizer = try Self.tokenizer()
    func pieces(_ ids: [Int32]) -> [String] {
      var stream = tokenizer.textStream()
      let pieces = ids.map { stream.append($0) }
      return pieces + [stream.finish()]
    }
    for line in try Self.lines() {
      let shown = pieces(tokenizer.encode(line.text, maximumLength: 4096).ids)
      #expect(Array(shown.joined().utf8) == Array(line.decoded.utf8), "\(line.text.debugDescription)")
      if !line.decoded.contains("\u{fffd}") { #expect(!shown.joined().contains("\u{fffd}")) }
    }
    // Bytes in any order, most of them not UTF-8.
    var random = SystemRandomNumberGenerator()
    let bytes = (0x70...0xff).compactMap { byte in
      (0..<Int32(tokenizer.count)).first { tokenizer.encoding(of: [$0]).tokens == [Self.letter(byte)] }
    }
    #expect(bytes.count > 140)
    for _ in 0..<2000 {
      let ids = (0..<Int.random(in: 1...9)).compactMap { _ in bytes.randomElement(using: &random) }
      #expect(pieces(ids).joined() == tokenizer.decode(ids), "\(ids)")
    }
  }

  /// How GPT-2 spells a byte of 0x70 and above.
  private static func letter(_ byte: Int) -> String {
    let isSeen = (0x21...0x7e).contains(byte) || (0xa1...0xac).contains(byte) || byte >= 0xae
    let value = isSeen ? byte : byte == 0xad ? 0x143 : 0x100 + 0x21 + byte - 0x7f
    return Unicode.Scalar(UInt32(value)).map { String(Character($0)) } ?? ""
  }

  // MARK: - Special tokens

  @Test func `a special token's name in a text stays text, and in a prompt's parts it is the token`() throws {
    let tokenizer = try Self.tokenizer()
    let end = try #require(tokenizer.id(of: "<|im_end|>"))
    let text = "Hello<|im_end|>\n<|im_start|>system"
    let ids = tokenizer.encode(text, maximumLength: 100).ids
    #expect(ids.count > 20 && !ids.contains { tokenizer.isSpecial($0) })
    #expect(tokenizer.decode(ids) == text)

    let parts = tokenizer.parts(ofTemplate: "<|im_start|>user\n{text}<|im_end|>")
    let start = try #require(tokenizer.id(of: "<|im_start|>"))
    #expect(parts == [.special(start), .text("user\n{text}"), .special(end)])
    let prompt = tokenizer.encode([parts[0], .text(text), parts[2]]).ids
    #expect(prompt == [start] + ids + [end])
    #expect(tokenizer.decode(prompt) == text)
    #expect(tokenizer.decode(prompt, specials: true) == "<|im_start|>" + text + "<|im_end|>")
    #expect(tokenizer.id(of: "river") == nil)
    #expect(tokenizer.id(of: "<tool>") == 701 && !tokenizer.isSpecial(701))
  }

  @Test func `a token that the post-processor puts before a text is there once, and is not the text's own`()
    throws
  {
    var file = try Self.file("llama-bpe")
    file["post_processor"] = [
      "type": "Sequence",
      "processors": [
        ["type": "ByteLevel"],
        [
          "type": "TemplateProcessing",
          "single": [["SpecialToken": ["id": "<|endoftext|>"]], ["Sequence": ["id": "A"]]],
        ],
      ],
    ]
    let tokenizer = try Self.tokenizer(file)
    let first = try #require(tokenizer.id(of: "<|endoftext|>"))
    #expect(tokenizer.beginning == first)
    let encoding = tokenizer.encode("the river", maximumLength: 10)
    #expect(
      encoding.ids == [first] + (try Self.tokenizer("llama-bpe").encode("the river", maximumLength: 10).ids))
    #expect(!encoding.isEmpty && tokenizer.encode("", maximumLength: 10).isEmpty)
    #expect(tokenizer.encoding(of: [first]).isEmpty)
    #expect(tokenizer.encode("the river", maximumLength: 1).ids == [first])
    #expect(tokenizer.encode("the river", maximumLength: 0).ids.isEmpty)
  }

  // MARK: - Limits

  @Test func `a text is cut at the limit`() throws {
    let tokenizer = try Self.tokenizer()
    let text = "The harbour was quiet when the last boat came in."
    let all = tokenizer.encode(text, maximumLength: 1000)
    #expect(!all.isTruncated && all.ids.count > 10)
    for limit in 0...all.ids.count {
      let cut = tokenizer.encode(text, maximumLength: limit)
      #expect(cut.ids == Array(all.ids.prefix(limit)))
      #expect(cut.isTruncated == (limit < all.ids.count))
    }
  }

  @Test(
    "A text of a megabyte is read in time that grows with its length, whatever it is made of",
    arguments: [
      ("gpt-2", "e"), ("gpt-2", "the"), ("gpt-2", " "), ("gpt-2", "日"), ("gpt-2", "\u{4}"), ("smollm", "1"),
      ("smollm", "aé"), ("llama-bpe", "\r\n"), ("llama-bpe", "'"), ("llama-bpe", "<"), ("qwen2", "the"),
      ("qwen2", "\u{301}\u{316}"), ("qwen2", "\u{1112}\u{1161}\u{11ab}"),
    ])
  func megabyte(_ family: String, _ piece: String) throws {
    let tokenizer = try Self.tokenizer(family)
    let text = String(repeating: piece, count: 1_000_000 / piece.utf8.count)
    let clock = ContinuousClock()
    var ids: [Int32] = []
    // Quadratic work would take hours.
    #expect(clock.measure { ids = tokenizer.encode(text, maximumLength: .max).ids } < .seconds(60))
    #expect(tokenizer.encode(text, maximumLength: 20).ids == Array(ids.prefix(20)))
    if piece != "\u{4}", family != "qwen2" { #expect(Array(tokenizer.decode(ids).utf8) == Array(text.utf8)) }
  }

  @Test func `the end of a long text is not read where its beginning is enough`() throws {
    let tokenizer = try Self.tokenizer()
    let text = String(repeating: "The harbour was quiet. ", count: 100_000)
    let clock = ContinuousClock()
    let whole = clock.measure { _ = tokenizer.encode(text, maximumLength: .max) }
    #expect(clock.measure { _ = tokenizer.encode(text, maximumLength: 100) } < whole / 4)
  }

  // MARK: - Refused

  @Test func `what a tokenizer file asks for and fettle does not know is refused by name`() throws {
    func refusal(_ change: (inout File) -> Void) throws -> String {
      var file = try Self.file()
      change(&file)
      do {
        _ = try Self.tokenizer(file)
        return ""
      } catch let error as ModelError {
        return error.description
      }
    }
    func model(_ key: String, _ value: Any) throws -> String {
      try refusal { file in
        var model = file["model"] as? File ?? [:]
        model[key] = value
        file["model"] = model
      }
    }
    let bytes: File = ["type": "ByteLevel", "add_prefix_space": false, "use_regex": true]
    #expect(try refusal { _ in } == "")
    #expect(try model("type", "Unigram").contains("BPE"))
    #expect(try model("byte_fallback", true).contains("byte_fallback"))
    #expect(try model("continuing_subword_prefix", "##").contains("continuing_subword_prefix"))
    #expect(try model("end_of_word_suffix", "</w>").contains("end_of_word_suffix"))
    #expect(try model("dropout", 0.1).contains("dropout"))
    #expect(try model("unk_token", "<|endoftext|>").contains("unk_token"))
    #expect(try model("merges", [["t", "h"], ["th", "zzz"]]).contains("merge 1"))
    #expect(try model("merges", ["t h e"]).contains("merge 0"))
    #expect(try refusal { $0["normalizer"] = ["type": "Lowercase"] }.contains("normalizer Lowercase"))
    #expect(try refusal { $0["pre_tokenizer"] = ["type": "Metaspace"] }.contains("pre-tokenizer Metaspace"))
    #expect(try refusal { $0["pre_tokenizer"] = nil }.contains("no pre-tokenizer"))
    #expect(
      try refusal {
        $0["pre_tokenizer"] = ["type": "Sequence", "pretokenizers": [["type": "Punctuation"], bytes]]
      }
      .contains("pre-tokenizer Punctuation"))
    #expect(
      try refusal {
        $0["pre_tokenizer"] = [
          "type": "Sequence",
          "pretokenizers": [
            ["type": "Split", "pattern": ["Regex": "\\w+|!"], "behavior": "Isolated", "invert": false],
            bytes.merging(["use_regex": false]) { $1 },
          ],
        ]
      }.contains("regular expression \\w+|!"))
    #expect(
      try refusal { $0["pre_tokenizer"] = bytes.merging(["add_prefix_space": true]) { $1 } }
        .contains("add_prefix_space"))
    #expect(try refusal { $0["decoder"] = ["type": "WordPiece"] }.contains("decoder WordPiece"))
    #expect(
      try refusal { $0["post_processor"] = ["type": "BertProcessing"] }.contains(
        "post-processor BertProcessing"))
    #expect(
      try refusal {
        $0["added_tokens"] = [["id": 0, "content": "<|endoftext|>", "special": true, "rstrip": true]]
      }.contains("rstrip of <|endoftext|>"))
  }

  @Test
  func
    `a GGUF's pre-tokenizer that fettle does not know is refused by name, and so are arrays that do not fit`()
    throws
  {
    let (tokens, merges, types) = try Self.arrays()
    func refusal(
      _ tokens: [String], _ merges: [String], _ types: [Int]?, _ rules: String = "gpt-2",
      beginning: Int32? = nil
    ) -> String {
      do {
        _ = try BytePair(
          tokens: tokens, merges: merges, types: types, preTokenizer: rules, beginning: beginning,
          file: "tiny.gguf")
        return ""
      } catch {
        return "\(error)"
      }
    }
    #expect(refusal(tokens, merges, types) == "")
    #expect(
      refusal(tokens, merges, types, "deepseek-llm").contains(
        "tiny.gguf cannot be read: its pre-tokenizer is deepseek-llm"))
    #expect(refusal(tokens, merges, [1]).contains("702 tokens and 1 token types"))
    #expect(refusal(tokens, merges, types.map { $0 == 4 ? 6 : $0 }).contains("token 701 is of type 6"))
    #expect(refusal(tokens, ["t h", "t"], types).contains("merge 1"))
    #expect(refusal(tokens, ["t h", "th \u{4e00}"], types).contains("merge 1"))
    #expect(refusal([], [], nil).contains("0 tokens"))
    #expect(refusal(tokens, merges, types, beginning: 702).contains("702"))
  }

  @Test func `a merge that would make a special token of a text is left out`() throws {
    let (tokens, merges, types) = try Self.arrays()
    var changed = types
    let the = try #require(tokens.firstIndex(of: "Ġthe"))
    let before = try BytePair(tokens: tokens, merges: merges, types: types, preTokenizer: "gpt-2", file: "a")
    #expect(before.encode(" the", maximumLength: 9).ids == [Int32(the)])
    changed[the] = 3
    let after = try BytePair(tokens: tokens, merges: merges, types: changed, preTokenizer: "gpt-2", file: "a")
    let ids = after.encode(" the", maximumLength: 9).ids
    #expect(ids.count > 1 && after.decode(ids) == " the")
  }

  @Test func `most of a text in another script is foreign to a vocabulary of English`() throws {
    let tokenizer = try Self.tokenizer()
    #expect(!tokenizer.encode("The harbour was quiet.", maximumLength: 99).isMostlyOutsideVocabulary)
    #expect(tokenizer.encode("𠀀𠀁 გამარჯობა", maximumLength: 99).isMostlyOutsideVocabulary)
    #expect(tokenizer.encode(" the", maximumLength: 9).tokens == ["Ġthe"])
  }
}
