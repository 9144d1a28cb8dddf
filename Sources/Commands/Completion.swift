import Foundation
import Shell
import Tasks
import Workbench

extension Application {
  /// What the prompt says when it opens.
  public var banner: String {
    let isNew = (try? workspace.read { try $0.lastStepID() == 0 }) ?? false
    let name = workspace.folder.path(relativeTo: URL(folder: FileManager.default.currentDirectoryPath))
    return
      "fettle \(Self.version) · workspace \(name.visible)\(isNew ? " (new)" : workspace.isReadOnly ? " (read-only)" : "") · type help or tour"
  }

  /// What Tab offers for the word before the cursor, all of it from the verbs' own declarations: verbs and subcommands,
  /// options and their values, and what the workspace and the folder have of the kind that a value is declared to be.
  public func candidates(before text: String) -> [Candidate] {
    let word = WordBeingTyped(text)
    let typed = word.before.map(\.text)
    if word.text.hasPrefix("$") { return variables(word) }
    guard let (named, depth) = Declaration.command(typed) else { return [] }
    var command = named
    var names: [String] = []
    if depth == typed.count, !word.text.hasPrefix("-") { names = command.names }
    if let standard = command.defaultSubcommand.flatMap(command.child) { command = standard }
    let rest = Array(typed.dropFirst(depth))
    let arguments = command.arguments ?? []
    if word.text.hasPrefix("--"), let equals = word.text.firstIndex(of: "=") {
      let option = String(word.text[..<equals])
      guard let argument = arguments.first(where: { $0.takesValue && $0.options.contains(option) }) else {
        return []
      }
      return offer(values(of: argument, typed).map { "\(option)=\($0)" }, for: word).map { candidate in
        let value = Language.quoted(String(candidate.text.dropFirst(option.count + 1)))
        return Candidate("\(option)=\(value)", replacing: word.length, display: candidate.display)
      }
    }
    if word.text.hasPrefix("-") { return offer(arguments.flatMap(\.options), for: word) }
    guard let argument = command.argument(after: rest) else { return offer(names, for: word) }
    if argument.completionKind?.file != nil || argument.completionKind?.directory != nil {
      return offer(names, for: word) + files(word, endings: argument.completionKind?.file?.extensions ?? [])
    }
    return offer(names + values(of: argument, typed), for: word)
  }

  /// What begins like the word, whatever its case; a category's name has blanks where its key has none.
  private func offer(_ choices: [String], for word: WordBeingTyped) -> [Candidate] {
    let compared = { (text: String) in text.lowercased().replacing(" ", with: "_") }
    let beginning = compared(word.text)
    return choices.filter { compared($0).hasPrefix(beginning) }.map {
      let isOption = $0.hasPrefix("-")
      return Candidate(isOption ? $0 : Language.quoted($0), replacing: word.length, display: $0)
    }
  }

  /// The values that an argument can have.
  ///
  /// - Parameter typed: the words before it.
  private func values(of argument: Declaration.Argument, _ typed: [String]) -> [String] {
    if let values = argument.allValues ?? argument.completionKind?.list?.values { return values }
    switch argument.valueName {
    case "dataset": return known { try $0.datasets().map(\.name) }
    case "model": return known(models.modelNames)
    case "known-model": return ModelInstallation.fetchable
    case "installed-model": return interpreter.encoders.encoders.map(\.name)
    case "language-model":
      return known { try $0.models().filter(\.isPrompted).map(\.name) }
        + interpreter.encoders.languageModels.map(\.name)
    case "tuned-model": return known { try $0.models().map(\.name) }
    case "author": return authors
    case "truth": return authors + [Label.fileAuthor]
    case "asset": return assets(typed)
    case "column": return columns(typed)
    case "category": return known { try $0.interface()?.categories.map(\.key) ?? [] }
    case "session": return workspace.setAsides().map(\.name)
    case "variable": return known { try Settings($0).variables.map(\.name) }
    case "verb":
      let path = Array(typed.dropFirst())
      return (Declaration.command(path)?.command.names ?? []) + (path.isEmpty ? ["language", "keys"] : [])
    case "value" where typed.first == "config": return typed.last.flatMap(Config.Key.init)?.values ?? []
    default: return []
    }
  }

  private var models: ModelLibrary { ModelLibrary(workspace, interpreter.encoders) }

  private func known(_ names: (Workbench) throws -> [String]) -> [String] {
    (try? workspace.read(names)) ?? []
  }

  private var authors: [String] {
    known { workbench in
      try workbench.currentDataset().map { try workbench.labellers(of: $0).map(\.author) }?
        .filter { $0 != Label.fileAuthor } ?? []
    }
  }

  private func assets(_ typed: [String]) -> [String] {
    known { workbench in
      let named = typed.firstIndex(of: "--dataset").flatMap { $0 + 1 < typed.count ? typed[$0 + 1] : nil }
      let dataset = try named.flatMap { try workbench.dataset(named: $0) } ?? workbench.currentDataset()
      return try dataset.map { try workbench.assets(of: $0, limit: 10_000).map(\.externalID) } ?? []
    }
  }

  /// The columns of the file that stands on the line already.
  private func columns(_ typed: [String]) -> [String] {
    guard let (named, depth) = Declaration.command(typed) else { return [] }
    var command = named
    if let standard = command.defaultSubcommand.flatMap(command.child) { command = standard }
    let here = URL(folder: FileManager.default.currentDirectoryPath)
    let file = command.files(in: Array(typed.dropFirst(depth))).first.map {
      Installation.running.file(FilePaths.expandingHome(in: $0), from: here)
    }
    return (file.flatMap { try? AssetFile.columnNames(of: $0) } ?? []).filter { !$0.isEmpty }
  }

  /// Files here, and those that came with fettle.
  private func files(_ word: WordBeingTyped, endings: [String]) -> [Candidate] {
    let here = URL(folder: FileManager.default.currentDirectoryPath)
    let own = FilePaths.candidates(for: word, in: here, endings: endings)
    guard let folder = Installation.running.folder else { return own }
    let known = Set(own.map(\.text))
    return own
      + FilePaths.candidates(for: word, in: folder, endings: endings).filter {
        !known.contains($0.text) && Installation.running.holds(folder.appending(path: $0.text))
      }
  }

  /// `$name` for what `set` has named, `$kpi.accuracy` for the last answers; in braces where they were begun.
  private func variables(_ word: WordBeingTyped) -> [Candidate] {
    let isBraced = word.text.hasPrefix("${")
    let (opening, closing) = isBraced ? ("${", "}") : ("$", "")
    let path = word.text.dropFirst(opening.count).split(separator: ".", omittingEmptySubsequences: false)
      .map(String.init)
    /// Names with whether they are a value, else they go on behind a dot.
    var names: [(name: String, isValue: Bool)]
    if path.count < 2 {
      let answered = (Declaration.ofVerbs?.names ?? []).filter { interpreter.lastAnswer(of: $0) != nil }
      names = known { try Settings($0).variables.map(\.name) }.map { ($0, true) }
      names += answered.map { ($0, false) }
    } else {
      let answer = path.dropFirst().dropLast().reduce(interpreter.lastAnswer(of: path[0])) { $0?[$1] }
      guard case .object(let members)? = answer else { return [] }
      let parent = path.dropLast().joined(separator: ".")
      names = members.sorted { $0.key < $1.key }.compactMap { key, value in
        if case .object = value { return ("\(parent).\(key)", false) }
        return value.word == nil ? nil : ("\(parent).\(key)", true)
      }
    }
    return names.map { name, isValue in (opening + name + (isValue ? closing : "."), isValue) }
      .filter { text, _ in text.hasPrefix(word.text) }
      .map { text, isValue in Candidate(text, replacing: word.length, isWhole: isValue) }
  }
}
