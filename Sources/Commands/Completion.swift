import Foundation
import Shell
import Workbench

extension FrontDoor {
  /// What the prompt says when it opens.
  public var banner: String {
    let isNew = (try? workspace.read { try $0.steps(after: 0).isEmpty }) ?? false
    let name = workspace.folder.path(relativeTo: URL(folder: FileManager.default.currentDirectoryPath))
    return "fettle \(Self.version) · workspace \(name.visible)\(isNew ? " (new)" : "") · type help"
  }

  /// What Tab offers: verbs and their subcommands, and the names of data sets, models and files.
  public func candidates(before: String) -> [Candidate] {
    let words = before.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
    guard let last = words.last else { return [] }
    let verbs = VerbParser.children(of: Fettle.self)
    let names: [String]
    if words.count == 1 {
      names = verbs.keys.sorted()
    } else if words.count == 2, let verb = verbs[words[0]], !VerbParser.children(of: verb).isEmpty {
      names = VerbParser.children(of: verb).keys.sorted()
    } else if ["--dataset", "--from"].contains(words.dropLast().last) {
      names = (try? workspace.read { try $0.datasets().map(\.name) }) ?? []
    } else if ["--model", "--base"].contains(words.dropLast().last) {
      names = (try? workspace.read { try $0.models().map(\.name) + [ChosenModel.baseName] }) ?? []
    } else {
      return []
    }
    return names.filter { $0.hasPrefix(last) }.map { Candidate($0, replacing: last.count) }
  }
}
