import Foundation
import Shell
import Tasks
import Transcripts
import Workbench

/// One run of the program on one workspace: opens it, and runs lines for whoever types, pipes or replays them.
public struct Application: Sendable {
  public static let version = FrontMatter.currentVersion

  let interpreter: Interpreter
  public let workspace: Workspace
  public let terminal: Terminal

  /// What is said before the verb.
  public struct Options: Sendable {
    public var workspace = ".fettle"
    public var seed: UInt64?
    public var records = true
    /// For how long others are kept from setting the workspace aside.
    public var holding = Workspace.Hold.process
    public init() {}
  }

  /// - Throws: `Diagnostic` when the workspace cannot be opened.
  public init(
    _ options: Options, terminal: Terminal, progress: Shell.Progress, environment: [String: String],
    show: @escaping @Sendable (Interpreter.Event) -> Void
  ) throws {
    let here = URL(folder: FileManager.default.currentDirectoryPath)
    let folder = URL(folder: options.workspace, relativeTo: here)
    do {
      workspace = try Workspace.open(folder, shownAs: options.workspace, holding: options.holding)
      let isNew = try workspace.read { try $0.steps(after: 0).isEmpty && $0.setting("root") == nil }
      if isNew, !workspace.isReadOnly {
        try workspace.write { workbench in
          let settings = try Settings(workbench)
          try settings.set(root: here.path(relativeTo: folder))
          try settings.set(firstSeed: options.seed ?? 42)
        }
      }
      let root = URL(folder: try workspace.read { try Settings($0).root }, relativeTo: folder)
      interpreter = Interpreter(
        workspace: workspace,
        encoders: ModelCache(environment: environment, bundled: Installation.running.models),
        progress: progress, terminal: terminal,
        records: options.records, files: { FileAccess(root: root, base: here, mode: .free) }, show: show)
      self.terminal = terminal
    } catch {
      throw Diagnostic(
        explaining: error, verb: "fettle",
        statement: Statement(words: [], source: "", physicalLines: [], line: 1), file: nil)
    }
    if let seed = options.seed, try workspace.read({ try Settings($0).seed }) != seed {
      // A step of its own, so that the document says from where on another seed counted.
      _ = interpreter.execute(try Language.statements("config seed \(seed)")[0], file: nil)
    }
    if options.records { try? SessionDocument(workspace).catchUp() }
  }

  /// The same program on the workspace of a document that was left in the middle.
  ///
  /// Typed paths start from the document's root, as the document's do, so this becomes the current folder.
  public init(_ nestedSession: NestedSession, from application: Application) {
    let interpreter = application.interpreter
    _ = FileManager.default.changeCurrentDirectoryPath(nestedSession.base.path)
    workspace = nestedSession.workspace
    terminal = application.terminal
    self.interpreter = Interpreter(
      workspace: workspace, encoders: interpreter.encoders, progress: interpreter.progress,
      terminal: terminal, records: true,
      files: { FileAccess(root: nestedSession.root, base: nestedSession.base, mode: .free) },
      show: interpreter.show)
  }

  /// `session new` for a workspace that is too damaged to be opened.
  ///
  /// - Returns: what came of it; nil where the statement is another one.
  /// - Throws: `Diagnostic`.
  public static func setDamagedAside(_ statement: Statement, _ options: Options) throws -> Execution? {
    let parsed = try? VerbParser.verb(from: statement.words.map { VerbParser.Input($0) })
    guard let parsed, let verb = parsed.verb as? SessionVerb.New else { return nil }
    let here = URL(folder: FileManager.default.currentDirectoryPath)
    let folder = URL(folder: options.workspace, relativeTo: here)
    do {
      let aside = try Workspace.setAside(
        folder, named: verb.name?.description, shownAs: options.workspace)
      return try aside.map { aside in
        try SessionDocument.moveRoot(of: aside.document, from: folder)
        let next =
          "What was done is in its document: fettle replay \(aside.document.path(relativeTo: here).visible)"
        return Execution(
          verb: parsed.name, result: .success(SessionVerb.report(setAside: aside.name, next: next)))
      }
    } catch {
      throw Diagnostic(explaining: error, verb: parsed.name, statement: statement, file: nil)
    }
  }

  /// Runs one statement; what came of it has been shown when this returns.
  public func run(_ statement: Statement, file: String? = nil, cancellation: Cancellation) -> Execution {
    interpreter.run(statement, file: file, cancellation: cancellation)
  }

  /// To be called when the last command has run. Where all have only looked, as a `classify` does, this waits for the disk no more.
  public func leave() {
    if interpreter.hasOnlyLooked, !workspace.isReadOnly { workspace.leaveShortJournal() }
    workspace.close()
  }

  /// A whole word `$kpi.accuracy` is looked up here as at the prompt.
  private static func pieces(_ word: String) -> [Word.Piece] {
    guard let name = word.wholeMatch(of: #/\$([A-Za-z_][A-Za-z0-9_.]*)/#)?.1 else { return [.literal(word)] }
    return [.variable(name: String(name), written: word)]
  }

  /// A statement from words that a Unix shell has split already.
  public static func statement(_ words: [String]) -> Statement {
    var source: [Character] = []
    var made: [Word] = []
    for word in words {
      if !source.isEmpty { source.append(" ") }
      let start = source.count
      source += word.hasPrefix("-") ? word : Language.quoted(word)
      made.append(
        Word(
          pieces: pieces(word), isQuoted: false, line: 1, column: start + 1, range: start..<source.count))
    }
    // A mark that joins the character before it would move all places behind it.
    let text = String(source)
    let count = text.count
    if count != source.count {
      for (index, word) in made.enumerated() {
        made[index].range = min(word.range.lowerBound, count)..<min(word.range.upperBound, count)
      }
    }
    return Statement(words: made, source: text, physicalLines: [text], line: 1)
  }
}
