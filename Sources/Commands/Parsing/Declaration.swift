import ArgumentParser
import Foundation

/// What the verbs declare, as argument-parser tells it (its ToolInfo format), as far as completion needs it.
struct Declaration: Decodable {
  var command: Command

  static let ofVerbs = Declaration(of: Fettle.self)?.command

  /// nil where argument-parser tells it in another form.
  init?(of type: ParsableCommand.Type) {
    guard let known = try? JSONDecoder().decode(Self.self, from: Data(type._dumpHelp().utf8)) else {
      return nil
    }
    self = known
  }

  struct Command: Decodable {
    var commandName: String
    var defaultSubcommand: String?
    var subcommands: [Command]?
    var arguments: [Argument]?

    /// argument-parser adds a `help` of its own behind ours.
    var names: [String] {
      (subcommands ?? []).map(\.commandName).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    func child(_ name: String) -> Command? { subcommands?.first { $0.commandName == name } }
  }

  struct Argument: Decodable {
    var kind: String
    var names: [Name]?
    /// What the value is, by convention: `dataset`, `model`, `category`.
    var valueName: String?
    var allValues: [String]?
    var isRepeating: Bool
    var parsingStrategy: String
    var completionKind: CompletionKind?

    struct Name: Decodable {
      var kind: String
      var name: String
    }

    struct CompletionKind: Decodable {
      struct File: Decodable { var extensions: [String] }
      struct List: Decodable { var values: [String] }
      struct Nothing: Decodable {}
      var file: File?
      var directory: Nothing?
      var list: List?
    }

    /// As they are typed.
    var options: [String] { (names ?? []).filter { $0.kind == "long" }.map { "--\($0.name)" } }
    var takesValue: Bool { kind == "option" }
    /// Whether several values may follow one naming of the option: `--models A B`.
    var takesSeveral: Bool { takesValue && isRepeating && parsingStrategy == "upToNextOption" }
  }

  /// The command that words lead to, and how many of them are its name.
  static func command(_ words: [String]) -> (command: Command, depth: Int)? {
    guard var command = ofVerbs else { return nil }
    var depth = 0
    for word in words {
      guard let child = command.child(word) else { break }
      command = child
      depth += 1
    }
    return (command, depth)
  }
}

extension Declaration.Command {
  /// Which of the arguments the next word is for.
  ///
  /// - Parameter words: those behind the command's name.
  func argument(after words: [String]) -> Declaration.Argument? {
    let arguments = arguments ?? []
    var places = arguments.filter { $0.kind == "positional" }[...]
    var waiting: Declaration.Argument?
    for word in words {
      if word.hasPrefix("--") {
        waiting = word.contains("=") ? nil : arguments.first { $0.takesValue && $0.options.contains(word) }
      } else if let option = waiting {
        if !option.takesSeveral { waiting = nil }
      } else if let first = places.first, !first.isRepeating {
        places.removeFirst()
      }
    }
    return waiting ?? places.first
  }

  /// The words that name files.
  ///
  /// - Parameter words: those behind the command's name.
  func files(in words: [String]) -> [String] {
    words.indices.filter { index in
      !words[index].hasPrefix("--")
        && argument(after: Array(words[..<index]))?.completionKind?.file != nil
    }.map { words[$0] }
  }

  /// Whether one of these words is no option and no option's value.
  func hasPlaced(_ words: [String]) -> Bool {
    words.indices.contains { index in
      !words[index].hasPrefix("-") && argument(after: Array(words[..<index]))?.kind == "positional"
    }
  }
}
