import ArgumentParser
import Classifiers
import Foundation
import Shell
import Workbench

/// Cells 4 and 10 of the tutorial: one sample, before anything is stored.
struct Classify: Verb, TextVerb {
  static let configuration = CommandConfiguration(
    commandName: "classify", abstract: "Ask a model for the category of one text.",
    discussion: """
      A small trial before the full run. The base model has seen no example of your categories: it compares the text with \
      "This text is about {category}." and takes the closest. A tuned model has learned from labels. The number behind a category \
      is how sure the model is, from 0 to 1.

      Examples:
        classify Ferry strike enters second week as islands ration fuel.
        classify --model base "Linen is back. So is the argument about ironing it."

      Next: predict.
      """)

  @Argument(help: "The text; the rest of the line, quotes or not.") var text: [Text]
  @OptionGroup var choice: ModelOption

  func perform(in context: Context) throws -> Work {
    let model = try context.workspace.read { try choice.resolve($0) }
    let text = context.rest(text)
    let classifier = try context.classifier(for: model)
    guard let result = try classifier.classify([text], isCancelled: context.isCancelled).first else {
      throw Fault.usage("There is no text to classify.")
    }
    let additions: (Workbench) throws -> [String] = { try choice.additions(model, $0) }
    return Work(additions: additions) { try report(result, by: model.name, $0) }
  }

  private func report(_ result: Classification, by model: String, _ workbench: Workbench) throws -> Report {
    var report = Report(verb: "classify")
    if let reason = result.reason {
      report.blocks.append(.line("\(try workbench.name(ofCategory: result.category)): \(reason)."))
    } else {
      let name = try workbench.name(ofCategory: result.category)
      report.blocks.append(.line("\(name) \(.confidence(result.confidence)) (by \(model))"))
      let next = result.scores.sorted { $0.probability > $1.probability }.dropFirst().prefix(3)
      if !next.isEmpty {
        let others = try next.map {
          "\(try workbench.name(ofCategory: $0.category)) \(fixed($0.probability, 2))"
        }
        report.blocks.append(.derived(["then \(others.joined(separator: ", "))"]))
      }
    }
    if result.isTruncated {
      report.blocks.append(.line("The text is longer than the model reads; its end was left out."))
    }
    report.json = [
      "category": .string(result.category), "confidence": .double(result.confidence), "model": .string(model),
      "scores": .object(
        Dictionary(
          result.scores.map { ($0.category, JSONValue.double($0.probability)) },
          uniquingKeysWith: { first, _ in first })),
      "reason": result.reason.map(JSONValue.string) ?? .null,
    ]
    report.hint = "predict"
    return report
  }
}
