import ArgumentParser
import Basics
import Foundation
import Shell
import Workbench

/// Names for values, so that a script or a document says a number once.
struct SetVariable: Verb, TextVerb, Repeatable {
  static let textEndsLine = true
  static let configuration = CommandConfiguration(
    commandName: "set", abstract: "Give a value a name: $name stands for it from then on.",
    discussion: """
      Wherever $name or ${name} stands in a command, its value takes its place; a name that was never set stays as typed, so that $500 is \
      just that. The workspace keeps the variables. set alone lists them.

      Examples:
        set n 100
        load Samples/news-1.csv --sample $n --name part-$n
        set

      Next: for, which runs lines for several values. The whole language is on one page: help language.
      """)

  @Argument(help: ArgumentHelp("The name: letters, digits and _.", valueName: "variable")) var name: Text?
  @Argument(help: "Its value; the rest of the line.") var value: [Text] = []

  func perform(in context: Context) throws -> Effect {
    // A running loop's own value is what its lines see.
    let loopValues = context.nested.loops.names.compactMap { name in context.value(name).map { (name, $0) } }
    let own = Dictionary(loopValues, uniquingKeysWith: { $1 })
    guard var name = name?.description else { return Effect { try Self.list(own, $0) } }
    var text = context.rest(value)
    // As other languages write it: set n=100, set n = 100.
    if let equals = name.firstIndex(of: "="), equals != name.startIndex {
      text = String(name[name.index(after: equals)...]) + (value.isEmpty ? "" : " " + text)
      name = String(name[..<equals])
    } else if let first = value.first?.description, first == "=", value.count > 1 {
      text = context.rest(Array(value.dropFirst()))
    } else if value.isEmpty {
      return Effect { try Self.show(name, own, $0) }
    }
    guard Self.isName(name) else {
      throw CommandError.usage(
        "\(name.visible) cannot name a variable. A name has letters, digits and _, does not begin with a digit, and is set "
          + "without its dollar sign: set n 100")
    }
    guard text.utf8.count <= Self.longest else {
      throw CommandError.other(
        code: "too-long",
        "A variable holds \(Bytes(Self.longest)) at most, and this value of \(name.visible) has \(Bytes(text.utf8.count))."
      )
    }
    let assign = { [loops = context.nested.loops, name, text] in loops.assign(name, text) }
    return Effect(afterCommit: assign) { [name, text] workbench in
      try Settings(workbench).set(variable: name, to: text)
      return Report(variable: name, text)
    }
  }

  /// Bytes of a value: an article fits, and what doubles in a loop ends soon.
  private static let longest = 64_000

  static func isName(_ text: String) -> Bool {
    guard let first = text.first, first.isLetter || first == "_" else { return false }
    return text.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" }
  }

  private static func show(_ name: String, _ own: [String: String], _ workbench: Workbench) throws -> Report {
    let settings = try Settings(workbench)
    if let value = try own[name] ?? settings.variable(name) { return Report(variable: name, value) }
    let near = nearest(name, among: try settings.variables.map(\.name))
    throw CommandError.other(
      code: "no-such-variable",
      "There is no variable \(name.visible). "
        + (near.map { "Did you mean \($0)?" } ?? "Set it: set NAME VALUE"))
  }

  private static func list(_ own: [String: String], _ workbench: Workbench) throws -> Report {
    let variables = try Settings(workbench).variables.map { (name: $0.name, value: own[$0.name] ?? $0.value) }
    var report = Report(verb: "set")
    report.blocks.append(
      variables.isEmpty
        ? .line("No variables yet. Set one: set NAME VALUE")
        : .fields(variables.map { ($0.name, "\($0.value.visible)") }))
    report.json = [
      "variables": .object(
        Dictionary(variables.map { ($0.name, .string($0.value)) }, uniquingKeysWith: { first, _ in first }))
    ]
    return report
  }
}
