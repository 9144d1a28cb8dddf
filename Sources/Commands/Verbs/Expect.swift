import ArgumentParser
import Basics
import Foundation
import Shell
import Workbench

/// Pins what a document claims: `expect $kpi.accuracy >= 0.7`.
struct Expect: Verb, WordVerb, Repeatable {
  static let onlyLooks = true
  static let configuration = CommandConfiguration(
    commandName: "expect", abstract: "Fail unless a comparison holds.",
    discussion: """
      $verb.field is a number or a text of that verb's last answer, by its name in --json: $kpi.accuracy, $validate.difference, \
      $finetune.model; $name is what set gave it. Numbers are compared with >=, <=, >, <, == and !=, and may be sums and products \
      with blanks around + - * /; texts with == and !=.

      Examples:
        expect $kpi.accuracy >= 0.55
        expect $validate.p_value < 0.05
        expect $validate.accuracy - $validate.base_accuracy > 0

      Next: session save FILE.
      """)

  @Argument(parsing: .captureForPassthrough, help: "LEFT COMPARISON RIGHT") var words: [Text]

  func perform(in context: Context) throws -> Effect {
    var words = Array(context.statement.words.dropFirst())
    if words.count == 1, words[0].text.contains(where: \.isWhitespace) {
      // In quotes as a whole, as a Unix shell wants it.
      words = try Language.statements(words[0].text, extractingPrompts: false).flatMap(\.words)
    }
    guard let claim = Claim(words) else {
      throw CommandError.usage(
        "expect takes one comparison, such as: expect $kpi.accuracy >= 0.7 (one of >= <= > < == !=).")
    }
    if let name = claim.unknownNames(context.value).first { throw unknown(name, context) }
    let typed = words.map(\.text).joined(separator: " ").visible
    let outcome: Claim.Outcome
    do {
      outcome = try claim.evaluate(context.value)
    } catch let error as Claim.NotANumber {
      throw CommandError.expectation(
        "Expected \(typed), but \(error.text.visible) is no number.", numbers: nil)
    }
    guard outcome.holds else {
      let found = "\(outcome.left.visible) is not \(claim.comparison.rawValue) \(outcome.right.visible)."
      throw outcome.isOfNumbers
        ? CommandError.expectation("Expected \(typed), which does not hold:", numbers: found)
        : CommandError.expectation("Expected \(typed), but \(found)", numbers: nil)
    }
    return Effect { _ in
      var report = Report(verb: "expect")
      report.blocks.append(.line("As expected: \(typed)"))
      report.json = [
        "expression": .string(typed), "left": .string(outcome.left), "right": .string(outcome.right),
        "holds": .bool(true),
      ]
      return report
    }
  }

  private func unknown(_ written: String, _ context: Context) -> CommandError {
    let name = written.trimmingCharacters(in: CharacterSet(charactersIn: "${}"))
    return .other(
      code: "no-such-value", "There is no \(written.visible). \(hint(for: name, context).visible)")
  }

  /// What to do about a name that nobody knows.
  private func hint(for name: String, _ context: Context) -> String {
    guard let dot = name.firstIndex(of: ".") else { return "Set it first: set \(name) VALUE" }
    let verb = String(name[..<dot])
    let field = String(name[name.index(after: dot)...])
    if let names = context.answer(verb)?.wordNames {
      if let near = nearest(field, among: names) { return "Did you mean $\(verb).\(near)?" }
      return "The last answer of \(verb) has: \(names.joined(separator: ", "))."
    }
    let verbs = VerbParser.children(of: Fettle.self).keys.sorted()
    if !verbs.contains(verb), let near = nearest(verb, among: verbs) {
      return "Did you mean $\(near).\(field)?"
    }
    return "Run \(verb) first; it is a part of its answer."
  }
}
