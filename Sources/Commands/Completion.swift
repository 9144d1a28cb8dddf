import Foundation
import Shell
import Workbench

extension FrontDoor {
  /// What the prompt says when it opens.
  public var banner: String {
    let isNew = (try? workspace.read { try $0.lastStepID() == 0 }) ?? false
    let name = workspace.folder.path(relativeTo: URL(folder: FileManager.default.currentDirectoryPath))
    return "fettle \(Self.version) · workspace \(name.visible)\(isNew ? " (new)" : "") · type help or tour"
  }

  /// What Tab offers for the word before the cursor, all of it from the verbs' own declarations: verbs and subcommands,
  /// options and their values, and the names of data sets, models and files.
  public func candidates(before text: String) -> [Candidate] {
    let word = WordBeingTyped(text)
    let typed = word.before.map(\.text)
    guard var command = Self.declaration else { return [] }
    var depth = 0
    for name in typed {
      guard let child = command.subcommands?.first(where: { $0.commandName == name }) else { break }
      command = child
      depth += 1
    }
    let names = (command.subcommands ?? []).map(\.commandName)
    func offer(_ choices: [String]) -> [Candidate] {
      choices.filter { $0.hasPrefix(word.text) }.map { Candidate($0, replacing: word.length) }
    }
    if depth == typed.count, !names.isEmpty, !word.text.hasPrefix("-") { return offer(names) }
    let arguments = command.arguments ?? []
    if word.text.hasPrefix("-") { return offer(arguments.flatMap(\.options)) }
    let option = arguments.first { $0.kind == "option" && $0.options.contains(typed.last ?? "") }
    guard let argument = option ?? arguments.first(where: { $0.kind == "positional" }) else { return [] }
    if let values = argument.allValues { return offer(values) }
    switch argument.valueName {
    case "dataset" where option != nil: return offer(known { try $0.datasets().map(\.name) })
    case "name" where ["--dataset", "--from"].contains(typed.last ?? ""):
      return offer(known { try $0.datasets().map(\.name) })
    case "name" where typed.first == "datasets": return offer(known { try $0.datasets().map(\.name) })
    case "model", "name": return offer(known { try [Workbench.baseModel] + $0.models().map(\.name) })
    case "verb": return offer((Self.declaration?.subcommands ?? []).map(\.commandName))
    case "file", "files", "folder":
      return FilePaths.candidates(for: word, in: URL(folder: FileManager.default.currentDirectoryPath))
    default: return []
    }
  }

  private func known(_ names: (Workbench) throws -> [String]) -> [String] {
    (try? workspace.read(names)) ?? []
  }

  private static var declaration: Declared.Command? {
    try? JSONDecoder().decode(Declared.self, from: Data(Fettle._dumpHelp().utf8)).command
  }
}

/// What argument-parser tells of the verbs (its ToolInfo format), as far as completion needs it.
private struct Declared: Decodable {
  var command: Command

  struct Command: Decodable {
    var commandName: String
    var subcommands: [Command]?
    var arguments: [Argument]?
  }

  struct Argument: Decodable {
    var kind: String
    var names: [Name]?
    var valueName: String?
    var allValues: [String]?

    struct Name: Decodable {
      var kind: String
      var name: String
    }

    /// As they are typed.
    var options: [String] { (names ?? []).filter { $0.kind == "long" }.map { "--\($0.name)" } }
  }
}
