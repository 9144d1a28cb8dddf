import Encoder
import Foundation
import Testing

/// The language model that ships, from its GGUF file in Q4_1, against what transformers computes with the same weights in f32.
@Suite(.serialized) struct SmolLM2Tests {
  private struct Line: Decodable {
    var text: String
    var prompt: [Int32]
    /// Ten tokens, fewer where one of them ends the answer.
    var greedy: [Int32]
    /// By how much the best logit led at each of them.
    var margins: [Double]
    /// With the token that ends the answer.
    var categories: [String: Double]
    var top: [[Double]]
    var hidden: [Double]

    enum CodingKeys: String, CodingKey {
      case text
      case prompt = "prompt_ids"
      case greedy = "greedy_ids"
      case margins = "greedy_margins"
      case categories = "category_logprobs"
      case top = "last_logits_top5"
      case hidden = "last_hidden_first8"
    }
  }

  private static let instruction =
    "Classify the text of the following message as exactly one of the following: CULTURE AND ARTS, "
    + "MEDIA AND ENTERTAINMENT, MONEY AND BUSINESS, POLITICS, SCIENCE AND TECHNOLOGY, SPORTS, STYLE AND BEAUTY, "
    + "WORLD NEWS."

  private static func model() throws -> PretrainedModel {
    try PretrainedModel.load(folder: BytePairSmolLM2Tests.file())
  }

  /// The tokens of the reference up to the first where two logits lie so near that another order of sums may decide.
  private static func certain(_ line: Line) -> Int {
    line.margins.firstIndex { $0 < 1e-3 } ?? line.greedy.count
  }

  @Test("prompts, states, logits, answers and categories of the chat form")
  func chat() throws {
    let model = try Self.model()
    let tokenizer = try #require(model.tokenizer as? BytePair)
    let language = try LanguageModel(model: model)
    let lines = try TestFiles.lines("smollm2.jsonl", as: Line.self)
    #expect(lines.count == 40)
    let head = tokenizer.parts(ofTemplate: "<|im_start|>user\n\(Self.instruction)\nmessage: ")
    let tail = tokenizer.parts(ofTemplate: "\ntext:<|im_end|>\n<|im_start|>assistant\n")
    for line in lines {
      #expect(Self.ids(head, line.text, tail, tokenizer) == line.prompt)
    }
    try check(language, lines, end: 2, before: "", ends: [0, 2])
  }

  @Test("prompts, states, logits, answers and categories of the plain form")
  func plain() throws {
    let model = try Self.model()
    let tokenizer = try #require(model.tokenizer as? BytePair)
    let language = try LanguageModel(model: model)
    let lines = try TestFiles.lines("smollm2-plain.jsonl", as: Line.self)
    #expect(lines.count == 20)
    for line in lines {
      let prompt = "\(Self.instruction)\nmessage: \(line.text)\ncategory:"
      #expect(tokenizer.encode(prompt, maximumLength: .max).ids == line.prompt)
    }
    try check(language, lines, end: 198, before: " ", ends: [])
  }

  @Test("a text longer than a pass is read in parts, and gives the same")
  func long() throws {
    let language = try LanguageModel(model: try Self.model())
    let text = try TestFiles.lines("smollm2.jsonl", as: Line.self).prefix(7).flatMap(\.prompt)
    #expect(text.count > 700)
    let names: [[Int32]] = [[314, 260, 216], [314, 253]]
    let whole = try language.complete([text], maximum: 3, ends: [])
    let sums = try language.logProbabilities(of: names, after: [text])
    for place in [200, text.count - 1, text.count] {
      let (beginning, end) = (Array(text[..<place]), Array(text[place...]))
      #expect(try language.complete([end], after: beginning, maximum: 3, ends: []) == whole)
      let found = try language.logProbabilities(of: names, after: [end], prefix: beginning)
      for (a, b) in zip(found[0], sums[0]) { #expect(abs(a - b) <= (LanguageModel.isExact ? 0 : 1e-3)) }
    }
  }

  /// What stands before the text and behind it ends in line feeds or blanks, which merge with letters; so the three are one text.
  private static func ids(
    _ head: [BytePair.Part], _ text: String, _ tail: [BytePair.Part], _ tokenizer: BytePair
  ) -> [Int32] {
    var parts = head
    for part in [.text(text)] + tail {
      if case .text(let next) = part, case .text(let last)? = parts.last {
        parts[parts.count - 1] = .text(last + next)
      } else {
        parts.append(part)
      }
    }
    return tokenizer.encode(parts).ids
  }

  private func check(
    _ language: LanguageModel, _ lines: [Line], end: Int32, before: String, ends: Set<Int32>
  ) throws {
    let tokenizer = try #require(language.model.tokenizer as? BytePair)
    let answers = try language.complete(lines.map(\.prompt), maximum: 10, ends: ends)
    for (line, answer) in zip(lines, answers) {
      let certain = Self.certain(line)
      #expect(answer.prefix(certain) == line.greedy.prefix(certain), "\(line.text)")
    }
    // The beginning that all prompts share, read once: the same answers.
    let first = lines[0].prompt
    let shared = lines.map { line in zip(line.prompt, first).prefix { $0 == $1 }.count }.min() ?? 0
    #expect(shared > 70)
    let again = try language.complete(
      lines.map { Array($0.prompt.dropFirst(shared)) }, after: Array(first.prefix(shared)), maximum: 10,
      ends: ends)
    for (line, answer) in zip(lines, again) {
      let certain = Self.certain(line)
      #expect(answer.prefix(certain) == line.greedy.prefix(certain), "\(line.text)")
    }
    for line in lines.prefix(6) {
      let (states, logits) = try language.states(of: line.prompt)
      for (found, expected) in zip(try #require(states.last), line.hidden) {
        #expect(abs(Double(found) - expected) < 1e-3 * max(1, abs(expected)))
      }
      let last = try #require(logits.last)
      for pair in line.top { #expect(abs(Double(last[Int(pair[0])]) - pair[1]) < 2e-3) }
    }
    // All lines have the same names.
    let names = try #require(lines.first).categories.keys.sorted()
    let some = lines.prefix(6)
    let sums = try language.logProbabilities(
      of: names.map { tokenizer.encode(before + $0, maximumLength: 32).ids + [end] },
      after: some.map { Array($0.prompt.dropFirst(shared)) }, prefix: Array(first.prefix(shared)))
    if LanguageModel.isExact {
      #expect(answers == again)
      #expect(
        try language.complete([lines[1].prompt], maximum: 10, ends: ends) == [answers[1]])
      let alone = try language.logProbabilities(
        of: names.map { tokenizer.encode(before + $0, maximumLength: 32).ids + [end] },
        after: [lines[1].prompt])
      #expect(alone == [sums[1]])
      // One text's products read the file's few bits, those of a dozen texts f32 numbers.
      func written(_ lines: some Sequence<Line>) throws -> [[Double]] {
        let batch = TextBatch(language)
        let numbers = try lines.map {
          try batch.add($0.prompt, TextBatch.Wishes(maximum: 6, ends: []))
        }
        var found: [Int: [Double]] = [:]
        while !batch.isEmpty {
          for case (let number, .written(let token)) in try batch.step() {
            found[number, default: []].append(token.logProbability)
          }
        }
        return numbers.map { found[$0] ?? [] }
      }
      let together = try written(lines.prefix(24))
      for number in [0, 5] {
        let alone = try written([lines[number]])
        #expect(alone == [together[number]] && alone[0].count == 6)
      }
    }
    for (line, sums) in zip(some, sums) {
      for (name, sum) in zip(names, sums) {
        #expect(abs(sum - (line.categories[name] ?? 0)) < 0.02, "\(name)")
      }
    }
  }
}
