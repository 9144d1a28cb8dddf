import ArgumentParser
import Encoder
import Foundation

/// A language model's predictions: short answers to many prompts that begin alike.
struct GenerateBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate", abstract: "A language model's answers to the tutorial's prompt.")

  enum Way: String, CaseIterable, ExpressibleByArgument {
    /// At most ten tokens each, all texts together.
    case free
    /// The probability of each category's name.
    case choice
    /// One text after another, token by token.
    case alone
  }

  @OptionGroup var model: ModelOptions

  @Option(help: "free, choice, or alone.")
  var way = Way.free

  @Option(help: "Texts; the files' are repeated as needed.")
  var texts = 800

  @Option(help: "Tokens of each text, made of one after another; the texts as they are unless given.")
  var length: Int?

  @Option(help: "Times to run; the fastest counts.")
  var runs = 1

  @Argument(help: "Files with lines of text|category.")
  var files: [String]

  func run() throws {
    let base = try model.load()
    let data = try LabelledTexts(files)
    guard let tokenizer = base.tokenizer as? BytePair, !data.texts.isEmpty else {
      throw ValidationError("That is no language model, or there are no texts.")
    }
    let prompts = PromptedTexts(data, tokenizer, count: texts, length: length)
    var language: LanguageModel?
    let start = try seconds {
      language = try LanguageModel(model: base, threads: model.threads, precision: model.precision)
    }
    guard let language else { return }
    var work = Work()
    var best = Double.infinity
    var processor = Double.infinity
    for _ in 0..<max(runs, 1) {
      let before = clock()
      best = min(best, try seconds { work = try answer(prompts, language) })
      processor = min(processor, Double(clock() - before) / Double(CLOCKS_PER_SEC))
    }
    let products = try ProductShapes(base)
    let operations =
      Double(work.tokens) * products.operationsPerToken + Double(work.positions)
      * products.operationsPerOutput
    try printRow([
      "benchmark": "generate", "way": way.rawValue, "precision": model.precision.rawValue,
      "texts": prompts.rest.count, "start_seconds": rounded(start), "seconds": rounded(best),
      "predictions_per_second": rounded(Double(prompts.rest.count) / best),
      "tokens": work.tokens, "tokens_per_second": rounded(Double(work.tokens) / best),
      "written": work.written, "gigaflops": rounded(operations / best / 1e9),
      "right": rounded(Double(work.right) / Double(prompts.rest.count)),
      "cpu_seconds": rounded(processor),
    ])
  }

  private struct Work {
    /// Tokens that went through the layers, and states that went through the output matrix.
    var tokens = 0
    var positions = 0
    var written = 0
    var right = 0
  }

  private func answer(_ prompts: PromptedTexts, _ language: LanguageModel) throws -> Work {
    var work = Work()
    let read = prompts.prefix.count + prompts.rest.reduce(0) { $0 + $1.count }
    switch way {
    case .free:
      let answers = try language.complete(
        prompts.rest, after: prompts.prefix, maximum: PromptedTexts.maximum, ends: prompts.ends)
      work.written = answers.reduce(0) { $0 + $1.count }
      work.tokens = read + work.written - answers.count
      work.positions = work.written
      work.right = zip(answers, prompts.categories).count { prompts.isRight($0, $1) }
    case .choice:
      let sums = try language.logProbabilities(
        of: prompts.names.map(\.ids), after: prompts.rest, prefix: prompts.prefix)
      let nodes = Set(prompts.names.flatMap { name in (1..<name.ids.count).map { Array(name.ids[..<$0]) } })
      work.tokens = read + prompts.rest.count * nodes.count
      work.positions = prompts.rest.count * (1 + nodes.count)
      work.right = zip(sums, prompts.categories).count { sums, category in
        sums.indices.max { sums[$0] < sums[$1] }.map { prompts.names[$0].name } == category
      }
    case .alone:
      for (rest, category) in zip(prompts.rest, prompts.categories) {
        var answer: [Int32] = []
        try language.generate(
          prompts.prefix + rest, maximum: PromptedTexts.maximum, ends: prompts.ends
        ) { token, _ in
          answer.append(token)
          return true
        }
        work.written += answer.count
        work.tokens += prompts.prefix.count + rest.count + answer.count - 1
        if prompts.isRight(answer, category) { work.right += 1 }
      }
      work.positions = work.written
    }
    return work
  }
}

/// The tutorial's instruction before each text, as plain text.
struct PromptedTexts {
  static let maximum = 10

  /// What all prompts begin with, and what follows in each.
  let prefix: [Int32]
  let rest: [[Int32]]
  let categories: [String]
  let names: [(name: String, ids: [Int32])]
  let ends: Set<Int32>
  private let tokenizer: BytePair

  /// - Parameter names: those that the prompt lists; the data's own unless given.
  init(
    _ data: LabelledTexts, _ tokenizer: BytePair, count: Int, length: Int?,
    names listed: [(name: String, ids: [Int32])]? = nil
  ) {
    func ids(_ text: String) -> [Int32] { tokenizer.encode(text, maximumLength: .max).ids }
    self.tokenizer = tokenizer
    // As an interface has them, whose names need no sign that a tutorial's reader would have to type.
    let written = data.categories.map { $0.replacing("&", with: "AND") }
    let names = listed?.map(\.name) ?? Set(written).sorted()
    let instruction =
      "Classify the text of the following message as exactly one of the following: "
      + names.joined(separator: ", ") + "."
    let prompts = (0..<count).map { number in
      let place = number % data.texts.count
      return ids(
        "\(instruction)\nmessage: \(Self.cut(data.texts, place, length, tokenizer))\ncategory:")
    }
    let first = prompts.first ?? []
    let shared = prompts.map { prompt in zip(prompt, first).prefix { $0 == $1 }.count }.min() ?? 0
    // Texts of which there is only one, or that are all the same, have something of their own too.
    prefix = Array(first.prefix(min(shared, first.count - 1)))
    rest = prompts.map { [prefix] in Array($0.dropFirst(prefix.count)) }
    categories = (0..<count).map { written[$0 % written.count] }
    self.names = names.map { ($0, ids(" \($0)")) }
    ends = Set(ids("\n"))
  }

  /// What is to be written after each prompt, the line's end included.
  var completions: [[Int32]] {
    let ids = Dictionary(names.map { ($0.name, $0.ids) }, uniquingKeysWith: { $1 })
    return categories.map { (ids[$0] ?? []) + tokenizer.encode("\n", maximumLength: .max).ids }
  }

  private static func cut(_ texts: [String], _ place: Int, _ length: Int?, _ tokenizer: BytePair) -> String {
    guard let length else { return texts[place] }
    var text = texts[place]
    var next = place
    while tokenizer.encode(text, maximumLength: .max).ids.count < length {
      next = (next + 1) % texts.count
      text += " " + texts[next]
    }
    return tokenizer.decode(Array(tokenizer.encode(text, maximumLength: .max).ids.prefix(length)))
  }

  func isRight(_ answer: [Int32], _ category: String) -> Bool {
    let text = tokenizer.decode(answer).uppercased()
    let named = names.compactMap { name in
      text.range(of: name.name.uppercased()).map { ($0.lowerBound, name.name) }
    }
    return named.min { $0.0 < $1.0 }?.1 == category
  }
}
