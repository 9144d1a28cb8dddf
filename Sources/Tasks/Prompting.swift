import Basics
import Classifiers
import Encoder
import Foundation
import Workbench

extension Workbench {
  /// What language models are asked with here.
  public var prompt: Prompt {
    get throws {
      guard let kept = try setting("prompt") else { return .standard }
      return try JSONDecoder().decode(Prompt.self, from: Data(kept.utf8))
    }
  }

  /// - Parameter prompt: nil for the standard one.
  public func set(prompt: Prompt?) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let kept = try prompt.flatMap { $0 == .standard ? nil : $0 }.map { try encoder.encode($0) }
    try set("prompt", to: kept.map { String(decoding: $0, as: UTF8.self) })
  }

  /// Whether the prompt's examples can be had.
  /// - Throws: `TaskError` where they cannot.
  public func checkExamples(of prompt: Prompt) throws {
    guard let examples = prompt.examples else { return }
    guard let interface = try interface() else { throw TaskError.noInterface }
    _ = try candidates(for: examples, interface)
  }

  /// Whether a language model's answers are kept.
  public var hasLanguagePredictions: Bool {
    get throws {
      try predictedModels().contains { name in
        let asked = AnswerWay.split(name).name
        return try !asked.contains("@") && model(named: asked) == nil && isLanguage(asked)
      }
    }
  }

  /// Whether a language model is asked here just as one was taught.
  func asks(as taught: Taught) throws -> Bool {
    let classes = try interface()?.classes ?? []
    return try taught
      == Taught(
        prompt: prompt, categories: classes.map { ($0.key, $0.name) }, completions: .names)
      && prompt.examples == nil
  }

  private func isLanguage(_ name: String) throws -> Bool {
    try name != Self.baseModel && name != chosenBase()?.name
      && !encoders().contains { $0.name == name }
  }

  /// The labelled texts of a data set that can be examples, in file order, each with its category's name.
  /// - Throws: `TaskError` where there are none.
  func candidates(for examples: Prompt.Examples, _ interface: Interface) throws -> [Prompt.Example] {
    guard let dataset = try dataset(named: examples.dataset) else {
      throw TaskError.other(
        code: "no-such-dataset",
        "The prompt's examples come from \(examples.dataset.visible), and there is no such data set now. "
          + "Load it, or choose others: prompt --examples N --dataset NAME")
    }
    let truth = try truth(of: dataset).categories
    let known = Set(interface.classes.map(\.key))
    let found = try assets(of: dataset).compactMap { asset -> Prompt.Example? in
      guard let key = truth[asset.id], known.contains(key) else { return nil }
      return Prompt.Example(text: asset.text, category: interface.name(ofKey: key))
    }
    guard !found.isEmpty else {
      throw TaskError.other(
        code: "no-examples",
        "No text of \(dataset.name.visible) has a label of the interface's categories, so it gives no examples."
      )
    }
    return found
  }
}

extension Prompt {
  /// So many of the candidates by a seed, the categories in turn, so that all are shown before one comes again.
  static func draw(_ count: Int, of candidates: [Example], seed: UInt64) -> [Example] {
    var random = RandomNumbers(seed: seed)
    var groups = Dictionary(
      grouping: random.permutation(candidates.count).map { candidates[$0] }, by: \.category)
    let keys = groups.keys.sorted()
    let order = random.permutation(keys.count).map { keys[$0] }
    var drawn: [Example] = []
    while drawn.count < count, !groups.isEmpty {
      for category in order where drawn.count < count {
        guard let example = groups[category]?.popLast() else { continue }
        drawn.append(example)
        if groups[category]?.isEmpty == true { groups[category] = nil }
      }
    }
    return drawn
  }
}

extension ModelLibrary {
  /// The library's language model of that name, asked with the workspace's prompt.
  /// - Throws: `TaskError.noInterface`, `ModelError`, `TaskError`.
  func languageClassifier(_ name: String, _ way: AnswerWay) throws -> LanguageClassifier {
    let (prompt, interface) = try workspace.read { (try $0.prompt, try $0.interface()) }
    guard let interface else { throw TaskError.noInterface }
    return try LanguageClassifier(
      name: name + way.suffix, model: languageModel(.language(name, way)), prompt: prompt, way: way,
      categories: interface.classes.map { (key: $0.key, name: $0.name) },
      examples: examples(of: prompt, interface))
  }

  /// A language model, installed or tuned, ready to write.
  /// - Parameter precision: nil for the workspace's.
  /// - Throws: `ModelError`, `TaskError`.
  package func languageModel(_ model: ModelSelection, precision: Precision? = nil) throws -> LanguageModel {
    let precision = try precision ?? workspace.read { try $0.precision }
    return try cache.languageModel(in: place(of: model), precision: precision)
  }

  private func examples(of prompt: Prompt, _ interface: Interface) throws -> LanguageClassifier.Examples {
    guard let chosen = prompt.examples else { return .same([]) }
    let candidates = try workspace.read { try $0.candidates(for: chosen, interface) }
    guard chosen.areNearest else {
      return .same(Prompt.draw(chosen.count, of: candidates, seed: chosen.seed))
    }
    let encoder = try encoder(of: .base)
    let vectors = try encoder.embeddings(
      candidates.map { encoder.encode($0.text) }, isCancelled: { false })
    return .own { texts, isCancelled in
      let own = try encoder.embeddings(texts.map(encoder.encode), isCancelled: isCancelled)
      return zip(texts, own).map { text, vector in
        let others = candidates.indices.filter { candidates[$0].text != text }
        let likeness = vectors.map { zip($0, vector).reduce(Float(0)) { $0 + $1.0 * $1.1 } }
        // The one most like it stands last, beside it.
        return others.sorted { likeness[$0] > likeness[$1] }.prefix(chosen.count).reversed()
          .map { candidates[$0] }
      }
    }
  }

  /// What decides a language model's predictions beside its weights: the way, the prompt, the categories and the examples.
  func promptDigest(_ way: AnswerWay) throws -> String {
    try workspace.read { workbench in
      let prompt = try workbench.prompt
      var hash = SHA256()
      func add(_ text: String) { hash.update(Data((text + "\0").utf8)) }
      add(way.rawValue)
      add(prompt.template)
      add(prompt.isChat ? "chat" : "plain")
      for category in try workbench.interface()?.classes ?? [] { add(category.key + "\n" + category.name) }
      if let examples = prompt.examples, let interface = try workbench.interface() {
        add("\(examples.count) \(examples.areNearest) \(examples.seed)")
        for example in try workbench.candidates(for: examples, interface) {
          add(example.text)
          add(example.category)
        }
      }
      return String(hash.finalize().hexadecimal.prefix(16))
    }
  }
}

// MARK: - What a model was taught

extension TunedModel {
  /// What a tuned language model is asked with; nil for an encoder.
  /// - Throws: `TaskError` where nobody can read it.
  public var lesson: Taught? {
    get throws {
      guard let taught else { return nil }
      guard let lesson = try? JSONDecoder().decode(Taught.self, from: Data(taught.utf8)),
        lesson.categories.map(\.key) == categories
      else {
        throw TaskError.other(
          code: "model-incomplete",
          "What \(name) was taught with cannot be read any more. Remove it (models remove \(name)) and train again."
        )
      }
      return lesson
    }
  }
}

extension Taught {
  /// As the workspace keeps it.
  var json: String {
    get throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
  }

  /// What decides a model's predictions beside its weights.
  func digest(_ way: AnswerWay) throws -> String {
    var hash = SHA256()
    hash.update(Data((way.rawValue + "\0" + (try json)).utf8))
    return String(hash.finalize().hexadecimal.prefix(16))
  }
}
