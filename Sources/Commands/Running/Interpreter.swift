import ArgumentParser
import Foundation
import Shell
import Synchronization
import Transcripts
import Workbench

/// Runs statements one after the other on a workspace: looks the verb up, parses it, lets it work, and logs the step.
///
/// It draws nothing: each execution goes to `show`, and the front door draws it.
public final class Interpreter: Sendable {
  let workspace: Workspace
  let encoders: EncoderLibrary
  let progress: Shell.Progress
  let terminal: Terminal
  let records: Bool
  private let files: @Sendable () -> FileAccess
  private let cancellation = Mutex<Cancellation>(Cancellation())
  private let depth = Mutex(0)
  private let variables = Mutex<[String: JSONValue]>([:])
  private let handOver = Mutex<HandOver?>(nil)
  let show: @Sendable (Event) -> Void

  /// What the front door draws.
  public enum Event: Sendable {
    /// A verb has answered.
    case executed(Execution)
    /// A line shown while a verb runs: a replay's steps as they pass.
    case live(String)
    /// A piece of a line: a command that is typed before an audience.
    case typed(String)
  }

  init(
    workspace: Workspace, encoders: EncoderLibrary, progress: Shell.Progress, terminal: Terminal,
    records: Bool,
    files: @escaping @Sendable () -> FileAccess, show: @escaping @Sendable (Event) -> Void
  ) {
    self.workspace = workspace
    self.encoders = encoders
    self.progress = progress
    self.terminal = terminal
    self.records = records
    self.files = files
    self.show = show
  }

  /// Runs one statement and shows what came of it.
  ///
  /// - Parameters:
  ///   - file: the script or document it stands in, for errors.
  ///   - cancellation: the learner's Ctrl-C.
  @discardableResult
  public func run(_ statement: Statement, file: String? = nil, cancellation: Cancellation) -> Execution {
    self.cancellation.withLock { $0 = cancellation }
    var execution = execute(statement, file: file)
    if execution.isShown { show(.executed(execution)) }
    execution.handOver = handOver.withLock { $0.take() }
    return execution
  }

  func execute(_ statement: Statement, file: String?) -> Execution {
    var verbName = statement.words.first?.expanded { _ in nil } ?? ""
    do {
      let words = statement.words.map { expand($0) }
      let verb = try VerbParser.verb(from: words)
      verbName = verb.name
      return try perform(verb, statement, file: file)
    } catch let request as VerbParser.HelpRequest {
      return Execution(verb: "help", result: .success(Help.report(request.text)))
    } catch {
      let failure = Failure(explaining: error, verb: verbName, statement: statement, file: file)
      return Execution(verb: verbName, result: .failure(failure))
    }
  }

  private func perform(_ parsed: VerbParser.Parsed, _ statement: Statement, file: String?) throws -> Execution
  {
    let files = files()
    let cancellation = cancellation.withLock { $0 }
    let verb = parsed.verb
    let recording = type(of: verb).recording
    let isLogged = records && recording == .step
    let seed = try workspace.read { try Settings($0).seed }
    let context = Context(
      workspace: workspace, files: files, encoders: encoders, seed: seed, progress: progress,
      cancellation: cancellation, statement: statement,
      nested: Context.Nested(
        run: { [self] statement, file in
          depth.withLock { $0 += 1 }
          defer { depth.withLock { $0 -= 1 } }
          let execution = execute(statement, file: file)
          if execution.isShown { show(.executed(execution)) }
          return execution
        },
        depth: depth.withLock { $0 },
        send: show, terminal: terminal,
        handOver: { [self] wish in handOver.withLock { $0 = wish } }),
      value: { [self] in value(of: $0) })
    do {
      let work = try verb.perform(in: context)
      let (report, explanations) = try workspace.write { workbench in
        let additions = try work.additions(workbench)
        var report = try work.finish(workbench)
        report.verb = parsed.name
        let object = JSONValue.object(report.json)
        if isLogged {
          try workbench.log(
            LoggedStep(
              verb: parsed.name, command: ([files.recorded(statement)] + additions).joined(separator: " "),
              answer: CanonicalDrawing.draw(report).text.joined(separator: "\n"), json: object.line,
              status: .done))
        }
        let explains = recording == .step
        return (
          report, explains ? try Glossary.newLines(for: CanonicalDrawing.draw(report).text, workbench) : []
        )
      }
      progress.finish()
      variables.withLock { $0[parsed.name] = .object(report.json) }
      if records, recording != .nothing { try SessionDocument(workspace).catchUp() }
      return Execution(verb: parsed.name, result: .success(report), explanations: explanations)
    } catch {
      progress.finish()
      let failure = Failure(explaining: error, verb: parsed.name, statement: statement, file: file)
      if isLogged, failure.exitStatus != Failure.usageStatus, !failure.isOfTheMachine {
        try? log(failure, parsed.name, files.recorded(statement))
      }
      return Execution(verb: parsed.name, result: .failure(failure))
    }
  }

  /// A failed or interrupted verb is a step too: a replay expects it to fail the same way, and skips an interruption.
  private func log(_ failure: Failure, _ verb: String, _ command: String) throws {
    let interrupted = failure.exitStatus == Failure.interruptedStatus
    try workspace.write { workbench in
      _ = try workbench.log(
        LoggedStep(
          verb: verb, command: command,
          answer: interrupted ? "" : failure.answer.text.joined(separator: "\n"),
          status: interrupted ? .interrupted : .failed))
    }
    try SessionDocument(workspace).catchUp()
  }

  /// A word with `$kpi.accuracy` and the like replaced; a name that does not exist stays as it was typed.
  private func expand(_ word: Word) -> VerbParser.Input {
    VerbParser.Input(word) { name in value(of: name) }
  }

  /// The value of `verb.field`: from the last answer of that verb, in this process or in the log.
  private func value(of name: String) -> String? {
    let path = name.split(separator: ".").map(String.init)
    guard let verb = path.first, path.count > 1 else { return nil }
    let last =
      variables.withLock { $0[verb] }
      ?? (try? workspace.read { try $0.lastJSON(ofVerb: verb) }).flatMap { $0 }.flatMap {
        try? JSONValue(parsing: $0)
      }
    var value = last
    for key in path.dropFirst() {
      guard case .object(let object)? = value else { return nil }
      value = object[key]
    }
    return value?.word
  }
}

/// What came of one statement.
public struct Execution: Sendable {
  public var verb: String
  public var result: Result<Report, Failure>
  /// A line for each of the field's words that the learner meets here for the first time.
  public var explanations: [String] = []
  /// The workspace that the prompt goes on in.
  public var handOver: HandOver?

  /// The exit status of a process that ran this alone: 0, 1 failed, 2 usage, 130 interrupted.
  public var status: Int32 {
    switch result {
    case .success(let report): report.isFailure ? 1 : 0
    case .failure(let failure): failure.exitStatus
    }
  }

  /// Verbs that only run other lines have nothing of their own to show.
  var isShown: Bool {
    switch result {
    case .success(let report): !report.isEmpty
    case .failure(let failure): !failure.wasShown
    }
  }

  /// As a document keeps it.
  var answer: Answer {
    switch result {
    case .success(let report): CanonicalDrawing.draw(report)
    case .failure(let failure): failure.answer
    }
  }
}
