import ArgumentParser
import Basics
import Foundation
import Shell

/// The verbs in the tour's order, and what each is for.
struct Help: Verb {
  static let recording = Recording.nothing
  static let configuration = CommandConfiguration(
    commandName: "help", abstract: "List the verbs, or explain one.",
    discussion: """
      Each verb is a step of the tour, or helps with one. Its help says why there is such a step, shows examples to type, \
      and names what usually comes next.

      Examples:
        help
        help finetune
        help language
        help keys

      Next: tour, which walks through them all.
      """, aliases: ["?"])
  @Argument(help: ArgumentHelp("The verb to explain, or language, or keys.", valueName: "verb")) var verb:
    [Text] = []

  func perform(in context: Context) throws -> Effect {
    let path = verb.map(\.description)
    let report =
      switch path {
      case []: Self.list()
      case ["language"]: Report(help: Language.page)
      case ["keys"]: Report(help: Prompt.keysPage)
      default: try Self.explain(path, columns: context.nested.terminal.width)
      }
    return Effect { _ in report }
  }

  private static func list() -> Report {
    var report = Report(verb: "help")
    let verbs = Fettle.configuration.subcommands
    report.blocks.append(.line("The verbs, in the order of the tour:"))
    report.blocks.append(.fields(verbs.map { ($0._commandName, "\($0.configuration.abstract)") }))
    report.blocks.append(
      .line(
        "help VERB explains one, with examples; help language how lines are written, help keys how they are edited."
      ))
    report.json = [
      "verbs": .array(
        verbs.map {
          .object(["name": .string($0._commandName), "abstract": .string($0.configuration.abstract)])
        })
    ]
    return report
  }

  private static func explain(_ path: [String], columns: Int) throws -> Report {
    var type: ParsableCommand.Type = Fettle.self
    for (index, name) in path.enumerated() {
      let below = VerbParser.children(of: type)
      guard let child = below[name] else {
        throw VerbParser.Unknown(
          kind: index == 0 ? "verb" : "subcommand", word: .init(text: name, isQuoted: false, column: 6),
          nearest: nearest(name, among: Array(below.keys)), choices: index == 0 ? [] : below.keys.sorted())
      }
      type = child
    }
    return Report(help: VerbParser.helpText(for: type, columns: min(max(columns, 40), 110)))
  }
}

/// Empties the window.
struct Clear: Verb {
  static let recording = Recording.nothing
  static let configuration = CommandConfiguration(
    commandName: "clear", abstract: "Clear the screen.",
    discussion: """
      Ctrl-L does the same, and keeps the line that is being typed.

      Examples:
        clear

      Next: whatever comes next.
      """)

  func perform(in context: Context) throws -> Effect {
    Effect { _ in Report(verb: "clear") }
  }
}

/// Leaves the shell.
struct Quit: Verb {
  static let recording = Recording.nothing
  static let configuration = CommandConfiguration(
    commandName: "quit", abstract: "Leave the shell.",
    discussion: """
      Everything is kept already, so there is nothing to save. Ctrl-D does the same.

      Examples:
        quit

      Next: fettle in the same folder goes on where you left.
      """, aliases: ["exit"])

  func perform(in context: Context) throws -> Effect {
    Effect { _ in Report(verb: "quit") }
  }
}

extension Execution {
  /// Whether the screen is to be cleared.
  public var clears: Bool {
    if case .success(let report) = result { return report.verb == "clear" }
    return false
  }

  /// Whether the shell is to be left.
  public var leaves: Bool {
    if case .success(let report) = result { return report.verb == "quit" || report.verb == "exit" }
    return false
  }
}
