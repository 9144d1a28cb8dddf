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
  private let nesting = Mutex(Nesting())
  /// Answers that the log does not have, by verb: of verbs that are no steps, and of those run with `--no-record`.
  private let unlogged = Mutex<[String: JSONValue]>([:])
  private let handOver = Mutex<HandOver?>(nil)
  /// The command of the tour that waits at the prompt; nil while no tour is under way.
  let offered = Mutex<String?>(nil)
  let show: @Sendable (Event) -> Void

  private struct Nesting {
    /// How many lines, scripts and blocks among them, are under way.
    var depth = 0
    /// How many of them are blocks.
    var blocks = 0
  }

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

  /// The same, with nothing recorded.
  var withoutRecording: Interpreter {
    Interpreter(
      workspace: workspace, encoders: encoders, progress: progress, terminal: terminal, records: false,
      files: files, show: show)
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

  /// - Parameter writesDocument: whether the step is also written to `session.md` at once; in the log it is in any case.
  func execute(_ statement: Statement, file: String?, writesDocument: Bool = true) -> Execution {
    var verbName = statement.words.first?.expanded { _ in nil } ?? ""
    let (statement, format) = VerbParser.takingFormat(statement)
    var execution = executePlain(statement, &verbName, file, writesDocument)
    execution.format = format
    return execution
  }

  private func executePlain(
    _ statement: Statement, _ verbName: inout String, _ file: String?, _ writesDocument: Bool
  ) -> Execution {
    do {
      let words = statement.words.map { VerbParser.Input($0, value: value(of:)) }
      let verb = try VerbParser.verb(from: words)
      verbName = verb.name
      return try perform(
        verb, statement, texts: words.map(\.text), file: file, writesDocument: writesDocument)
    } catch let request as VerbParser.HelpRequest {
      return Execution(verb: "help", result: .success(Help.report(request.text)))
    } catch {
      return Execution(verb: verbName, result: .failure(explained(error, verbName, statement, file, files())))
    }
  }

  /// - Parameter texts: the statement's words with their variables expanded.
  private func perform(
    _ parsed: VerbParser.Parsed, _ statement: Statement, texts: [String], file: String?, writesDocument: Bool
  ) throws -> Execution {
    let files = files()
    let verb = parsed.verb
    let recording = type(of: verb).recording
    let records = records && !workspace.isReadOnly
    let isLogged = records && recording == .step
    let before = try workspace.read { (seed: try Settings($0).seed, step: try $0.lastStepID()) }
    let nested = Mutex<[Execution]>([])
    let context = Context(
      workspace: workspace, files: files, encoders: encoders, seed: before.seed, progress: progress,
      cancellation: cancellation.withLock { $0 }, statement: statement, file: file,
      nested: Context.Nested(
        run: { [self] statement, file in
          let execution = run(statement, file: file, in: recording)
          nested.withLock { $0.append(execution) }
          return execution
        },
        runQuietly: { [self] in execute($0, file: nil, writesDocument: false) },
        depth: nesting.withLock { $0.depth }, isInBlock: nesting.withLock { $0.blocks > 0 },
        send: show, forget: { [self] in unlogged.withLock { $0 = [:] } }, terminal: terminal,
        handOver: { [self] wish in handOver.withLock { $0 = wish } }),
      value: { [self] in value(of: $0) }, answer: { [self] in lastAnswer(of: $0) })
    var execution = Execution(
      verb: parsed.name, result: .success(Report(verb: parsed.name)), source: statement.source)
    do {
      let work = try verb.perform(in: context)
      execution.nested = nested.withLock { $0 }
      try workspace.writeIfPossible { workbench in
        let additions = try work.additions(workbench)
        var report = try work.finish(workbench)
        report.verb = parsed.name
        execution.result = .success(report)
        execution.command = ([files.recorded(statement, texts: texts)] + additions).joined(
          separator: " ")
        execution.isStep =
          try isLogged || records && recording == .block && fold(execution, after: before.step, workbench)
        if execution.isStep { try workbench.log(execution.step) }
        execution.explanations = try advise(&report, recording, workbench)
        execution.result = .success(report)
      }
      work.afterCommit()
      progress.finish()
      if case .success(let report) = execution.result {
        let isKnown = execution.isStep || recording == .block
        unlogged.withLock { $0[parsed.name] = isKnown ? JSONValue?.none : .object(report.json) }
      }
      if writesDocument, recording != .nothing { try catchUp() }
    } catch {
      progress.finish()
      execution.nested = nested.withLock { $0 }
      let failure = explained(error, parsed.name, statement, file, files)
      execution.result = .failure(failure)
      execution.command = files.recorded(statement, texts: texts)
      if isLogged, failure.exitStatus != Failure.usageStatus, !failure.isOfTheMachine {
        // A failed or interrupted verb is a step too: a replay expects it to fail the same way, and skips an interruption.
        try? workspace.write { [execution] in _ = try $0.log(execution.step) }
        execution.isStep = true
      }
      execution.result = .failure(files.asTyped(failure))
      if writesDocument, recording != .nothing { try? catchUp() }
    }
    return execution
  }

  /// Gives a report the hint that it lacks, unless the learner wants none; returns the lines for words that are new here.
  private func advise(_ report: inout Report, _ recording: Recording, _ workbench: Workbench) throws
    -> [String]
  {
    guard try Settings(workbench).hints else {
      report.hint = nil
      return []
    }
    guard recording == .step else { return [] }
    // The tour itself says what comes next, and has explained what its own commands answer with.
    let waiting = offered.withLock { $0 }
    report.hint = try waiting == nil ? report.hint ?? workbench.nextStep() : nil
    // Which words were explained has to be kept.
    guard !workspace.isReadOnly else { return [] }
    let lines = try Glossary.newLines(for: CanonicalDrawing.draw(report).text, workbench)
    return waiting.flatMap(TourScript.verb(of:)) == report.verb ? [] : lines
  }

  /// Runs a line of a script or a block.
  private func run(_ statement: Statement, file: String?, in outer: Recording) -> Execution {
    nesting.withLock {
      $0.depth += 1
      if outer == .block { $0.blocks += 1 }
    }
    defer {
      nesting.withLock {
        $0.depth -= 1
        if outer == .block { $0.blocks -= 1 }
      }
    }
    var execution = execute(statement, file: file)
    execution.isNested = true
    if outer == .block, case .success(var report) = execution.result {
      // What comes next is the next line of the block.
      report.hint = nil
      execution.result = .success(report)
    }
    if execution.isShown { show(.executed(execution)) }
    return execution
  }

  /// Folds a block's steps into the one that stands for all of them, where a replay of that would do the same: nothing else
  /// was logged meanwhile, none has been written to the document, and each is recorded as it was typed.
  private func fold(_ block: Execution, after id: Int, _ workbench: Workbench) throws -> Bool {
    guard block.nested.allSatisfy({ $0.isStep && $0.isRecordedAsTyped }),
      try Settings(workbench).written <= id
    else { return false }
    return try workbench.fold(stepsAfter: id, count: block.nested.count)
  }

  /// Writes what is logged into the session's document; not before a block has ended, which may fold its steps.
  private func catchUp() throws {
    guard records, nesting.withLock({ $0.blocks == 0 }) else { return }
    try SessionDocument(workspace).catchUp()
  }

  private func explained(
    _ error: any Error, _ verb: String, _ statement: Statement, _ file: String?, _ files: FileAccess
  ) -> Failure {
    var failure = Failure(explaining: error, verb: verb, statement: statement, file: file)
    files.explain(&failure, words: statement.words.map { $0.expanded(using: value(of:)) })
    if file == nil, failure.source == nil, failure.line == nil, nesting.withLock({ $0.blocks > 0 }) {
      failure.show(statement.words.first?.column, in: statement)
    }
    return failure
  }

  /// What `$name` stands for: a variable, or a field of a verb's last answer (`kpi.accuracy`), in this process or in the log.
  private func value(of name: String) -> String? {
    let path = name.split(separator: ".").map(String.init)
    guard path.count > 1 else { return (try? workspace.read { try Settings($0).variable(name) }) ?? nil }
    var value = lastAnswer(of: path[0])
    for key in path.dropFirst() { value = value?[key] }
    return value?.word
  }

  /// The JSON of a verb's last answer; of a verb with subcommands, of whichever of them was last.
  func lastAnswer(of verb: String) -> JSONValue? {
    let here = unlogged.withLock { answers in
      answers[verb] ?? answers.first { $0.key.hasPrefix(verb + " ") }?.value
    }
    if let here { return here }
    let logged = try? workspace.read { try $0.lastJSON(ofVerb: verb) }
    return logged.flatMap { $0 }.flatMap { try? JSONValue(parsing: $0) }
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
  /// How it is to be shown where not drawn; a document has it drawn in any case.
  public var format: ReportFormat?
  /// Whether it is a line of a script or a block.
  public var isNested = false
  /// What the lines of a script or a block came to; each was shown when it ended.
  var nested: [Execution] = []
  /// As it was typed, and as a step records it.
  var source = ""
  var command = ""
  /// Whether it has been logged as a step.
  var isStep = false
  /// Whether a path was rewritten or an option added.
  var isRecordedAsTyped: Bool { command == source }

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
    let own: Answer =
      switch result {
      case .success(let report): CanonicalDrawing.draw(report)
      case .failure(let failure): failure.wasShown ? Answer() : failure.answer
      }
    return Answer(nested.flatMap(\.answer.lines) + own.lines)
  }

  /// As the log keeps it.
  var step: LoggedStep {
    let text = answer.text.joined(separator: "\n")
    switch result {
    case .success(let report):
      return LoggedStep(verb: verb, command: command, answer: text, json: JSONValue.object(report.json).line)
    case .failure(let failure):
      let isInterrupted = failure.exitStatus == Failure.interruptedStatus
      return LoggedStep(
        verb: verb, command: command, answer: isInterrupted ? "" : text,
        status: isInterrupted ? .interrupted : .failed)
    }
  }
}
