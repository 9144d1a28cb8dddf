import ArgumentParser
import Encoder
import Foundation

/// What a language model computes, in numbers: for holding it to others (`make peers`).
struct StatesBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "states",
    abstract: "A language model's states and logits for token ids, or the ids of texts, as JSON.")

  @Option(help: "The model's folder or GGUF file.")
  var model: String

  @Option(help: "Tokens of a text, with commas between; as often as there are texts.")
  var ids: [String] = []

  @Option(help: "A file with a JSON array of texts, of which the ids are wanted.")
  var texts: String?

  func run() throws {
    let base = try PretrainedModel.load(folder: URL(fileURLWithPath: model))
    if let texts {
      let texts = try JSONDecoder().decode(
        [String].self, from: Data(contentsOf: URL(fileURLWithPath: texts)))
      try write(["ids": texts.map { base.tokenizer.encode($0, maximumLength: .max).ids }])
    }
    guard !ids.isEmpty else { return }
    let language = try LanguageModel(model: base)
    let rows = ids.map { $0.split(separator: ",").compactMap { Int32($0) } }
    try write([
      "rows": try rows.map { row in
        let (states, logits) = try language.states(of: row)
        return ["states": states, "logits": logits]
      }
    ])
  }

  private func write(_ value: some Encodable) throws {
    print(String(decoding: try JSONEncoder().encode(value), as: UTF8.self))
  }
}
