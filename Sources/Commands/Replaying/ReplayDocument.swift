import Encoder
import Foundation
import Shell
import Transcripts
import Workbench

extension Document {
  /// - Throws: `Diagnostic` with the line of a fence that its author may take for steps and that is none.
  func requireAllReplayed(named name: String) throws {
    guard let first = passedOver.first else { return }
    throw Diagnostic(code: "bad-fence", message: first.message, file: name, line: first.line)
  }
}

/// A document that is fit to be replayed: read, understood to its last line, and with a root that it may have.
///
/// All of it is checked before anything of it runs, so that a mistyped verb in the last step is not found out after minutes.
struct ReplayDocument {
  /// As it was typed.
  let name: String
  /// The file itself, where the name is a symbolic link: its paths start from where it lies, not from where the link does.
  let url: URL
  let document: Document
  /// In which numbers the model computes, by the front matter.
  let precision: Precision
  /// The folder that its paths start from.
  let root: URL
  /// For each step what it says; nil for one that is empty or was interrupted.
  let statements: [Statement?]

  /// Reads a document, says first what a reader should know (another version's, broken off, no steps), and checks the rest.
  ///
  /// - Throws: `DocumentError`, `Diagnostic` with the document's line; `CommandError` for a file that is none.
  init(_ name: String, allowed: [URL], _ context: Context) throws {
    self.name = name
    let (link, text) = try context.files.text(of: name)
    url = link.resolvingSymlinksInPath()
    document = try Document(parsing: text, file: name)
    let front = document.frontMatter
    let shown = name.visible
    if front.fettle != FrontMatter.currentVersion {
      context.nested.show(
        "\(shown) was written by fettle \(front.fettle.visible); this is \(FrontMatter.currentVersion).")
    }
    precision = Precision(rawValue: front.precision.rawValue) ?? .f32
    _ = try precision.resolved()
    if let line = document.breaksOff {
      context.nested.show("\(shown) breaks off in line \(line); it is replayed up to there.")
    }
    try document.requireAllReplayed(named: name)
    root = try Self.root(of: document, at: url, named: name, allowed: allowed, context)
    statements = try document.steps.map { try Self.statement(of: $0, in: name) }
    guard statements.contains(where: { $0 != nil }) else {
      throw Diagnostic(
        code: "nothing-to-replay",
        message: document.steps.isEmpty
          ? "There is nothing to replay: no ```fettle fence with a line that begins with fettle> stands "
            + (document.breaksOff.map { "before line \($0), where the document breaks off." } ?? "in it.")
          : "There is nothing to replay: every command in it is empty or was interrupted.",
        file: name, line: document.breaksOff ?? document.steps.first?.line ?? 1)
    }
  }

  /// The folder that the front matter names.
  ///
  /// What a document reads is bounded by its root, so a document may not choose just any: its own folder, one around or in it,
  /// or the one that the learner stands in; a root that holds the learner's whole home only if they stand there, and none that is
  /// hidden in its folder, as the one with the learner's keys is.
  private static func root(
    of document: Document, at url: URL, named name: String, allowed: [URL], _ context: Context
  ) throws -> URL {
    let folder = url.deletingLastPathComponent()
    let root = URL(folder: document.frontMatter.root, relativeTo: folder).resolvingSymlinksInPath()
    let here = context.files.base.resolvingSymlinksInPath()
    let home = URL(folder: ProcessInfo.processInfo.environment["HOME"] ?? NSHomeDirectory())
      .resolvingSymlinksInPath()
    let isNear = folder.isBelow(root) || root.isBelow(folder)
    let isWide = home.isBelow(root) || root.path == "/"
    let isAllowed = allowed.contains { root.isBelow($0.resolvingSymlinksInPath()) }
    guard isAllowed || root.path == here.path || isNear && !isWide else {
      throw CommandError.rootTooWide(document: name, root: document.frontMatter.root)
    }
    guard isAllowed || root.path == here.path || !root.isBelow(folder) || !root.isHidden(below: folder) else {
      throw CommandError.rootHidden(document: name, root: document.frontMatter.root)
    }
    return root
  }

  /// The command as the language and the verbs read it.
  private static func statement(of step: Transcripts.Step, in name: String) throws -> Statement? {
    guard !step.isInterrupted else { return nil }
    let statements = try Language.statements(
      in: step.command, file: name, firstLine: step.line, extractingPrompts: false)
    for statement in statements { try check(statement, in: name) }
    if statements.count > 1 {
      throw Diagnostic(
        code: "bad-fence",
        message: "This line goes on with a command that is whole already. Begin it with fettle> instead.",
        file: name, line: statements[1].line)
    }
    return statements.first
  }

  /// - Throws: `Diagnostic` for what no verb would understand, whatever the variables stand for.
  private static func check(_ statement: Statement, in name: String) throws {
    do {
      try VerbParser.check(statement)
    } catch {
      var failure = Diagnostic(explaining: error, verb: "replay", statement: statement, file: name)
      failure.exitStatus = 1
      throw failure
    }
  }

  /// Says which files that the document loads are gone, or are not what they were, before any difference does.
  func announceChangedFiles(_ files: FileAccess, _ context: Context) throws {
    for (step, statement) in zip(document.steps, statements) {
      guard let statement,
        let verb = try? VerbParser.verb(from: statement.words.map { VerbParser.Input($0) }).verb,
        let digested = (verb as? any DigestingVerb)?.digestedFiles
      else { continue }
      let digests = step.answer.joined(separator: " ").matches(of: #/sha256 +([0-9a-f]{8,64})/#)
      for (path, recorded) in zip(digested, digests.map(\.1)) {
        try announce(path.description, line: step.line, recorded: recorded, files, context)
      }
    }
  }

  private func announce(
    _ path: String, line: Int, recorded: Substring, _ files: FileAccess, _ context: Context
  ) throws {
    guard let url = try? files.reading(path) else { return }
    guard FileManager.default.fileExists(atPath: url.path) else {
      context.nested.show("\(path.visible), which line \(line) loads, is not there.")
      return
    }
    try context.checkCancellation()
    guard let digest = files.digest(of: url, check: context.checkCancellation), !digest.hasPrefix(recorded)
    else { return }
    context.nested.show(
      "\(path.visible) is not the file that line \(line) was recorded with: "
        + "sha256 \(recorded) then, \(digest.prefix(recorded.count)) now.")
  }
}
