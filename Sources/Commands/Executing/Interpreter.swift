import ArgumentParser
import Basics
import Foundation
import Shell
import Synchronization
import Tasks
import Transcripts
import Workbench

/// Runs statements one after the other on a workspace: looks the verb up, parses it, lets it work, and logs the step.
///
/// It draws nothing: each execution goes to `show`, and the program draws it.
public final class Interpreter: Sendable {
  let workspace: Workspace
  let encoders: ModelCache
  let progress: Shell.Progress
  let terminal: Terminal
  let records: Bool
  private let files: @Sendable () -> FileAccess
  private let cancellation = Mutex<Cancellation>(Cancellation())
  private let nesting = Mutex(Nesting())
  /// Answers that the log does not have, by verb: of verbs that are no steps, and of those run with `--no-record`.
  private let unlogged = Mutex<[String: JSONValue]>([:])
  private let nestedSession = Mutex<NestedSession?>(nil)
  private let looked = Mutex(true)
  /// The command of the tour that waits at the prompt; nil while no tour is under way.
  let offered = Mutex<String?>(nil)
  let show: @Sendable (Event) -> Void

  private struct Nesting {
    /// How many lines, scripts and blocks among them, are under way.
    var depth = 0
    /// How many of them are blocks.
    var blocks = 0
    /// How many lines the outermost one has run.
    var lines = 0
  }

  /// How many lines one line may run, which is more than anybody waits for.
  static let mostLines = 100_000
  /// Bytes of a line with its variables' values in it.
  private static let longestLine = 1_000_000
  /// Bytes of one answer.
  private static let longestAnswer = 8_000_000
  private let loops = LoopVariables()

  /// What the program draws.
  public enum Event: Sendable {
    /// A verb has answered.
    case executed(Execution)
    /// A line shown while a verb runs: a replay's steps as they pass.
    case live(String)
    /// A piece of a line: a command that is typed before an audience.
    case typed(String)
  }

  init(
    workspace: Workspace, encoders: ModelCache, progress: Shell.Progress, terminal: Terminal,
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

  /// Whether nothing that was run has changed more than the log.
  var hasOnlyLooked: Bool { looked.withLock { $0 } }

  /// Runs one statement and shows what came of it.
  ///
  /// - Parameters:
  ///   - file: the script or document it stands in, for errors.
  ///   - cancellation: the learner's Ctrl-C.
  @discardableResult
  public func run(_ statement: Statement, file: String? = nil, cancellation: Cancellation) -> Execution {
    self.cancellation.withLock { $0 = cancellation }
    nesting.withLock { $0.lines = 0 }
    var execution = execute(statement, file: file)
    if execution.isShown { show(.executed(execution)) }
    execution.nestedSession = nestedSession.withLock { $0.take() }
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
    var attempts = Attempts()
    while true {
      do {
        try AddressSpace.require()
        let read = try workspace.read { try ReadValues($0, lookUp: { [self] in value(of: $0) }) }
        let words = try expanded(statement, read)
        let verb = try VerbParser.verb(from: words)
        verbName = verb.name
        let line = Line(
          parsed: verb, statement: statement, texts: words.map(\.text), file: file,
          writesDocument: writesDocument)
        return try perform(line, read, attempts)
      } catch is Stale {
        attempts.count += 1
      } catch let request as VerbParser.HelpRequest {
        return Execution(verb: "help", result: .success(request.report))
      } catch {
        return Execution(
          verb: verbName, result: .failure(explained(error, verbName, statement, file, files())))
      }
    }
  }

  /// How often a statement has begun, and since when. Where others write without a pause, it goes on with what it has read.
  private struct Attempts {
    var count = 1
    let start = ContinuousClock.now

    var mayRepeat: Bool { count < 100 && ContinuousClock.now - start < .seconds(10) }
  }

  /// A statement on its way through the interpreter.
  private struct Line {
    let parsed: VerbParser.Parsed
    let statement: Statement
    /// The statement's words with their variables expanded.
    let texts: [String]
    let file: String?
    let writesDocument: Bool
  }

  private func expanded(_ statement: Statement, _ read: ReadValues) throws -> [VerbParser.Input] {
    var bytes = statement.source.utf8.count
    return try statement.words.map { word in
      let input = VerbParser.Input(word, value: read.value)
      bytes += input.text.utf8.count - word.range.count
      guard bytes <= Self.longestLine else {
        throw CommandError.tooLong("A line, with its variables' values in it,", Self.longestLine)
      }
      return input
    }
  }

  private func perform(_ line: Line, _ read: ReadValues, _ attempts: Attempts) throws -> Execution {
    let files = files()
    files.cancellation.withLock { $0 = cancellation.withLock { $0 } }
    let (parsed, statement, file) = (line.parsed, line.statement, line.file)
    let (verb, name) = (parsed.verb, parsed.name)
    let recording = type(of: verb).recording
    let records = records && !workspace.isReadOnly
    let isLogged = records && recording == .step
    if recording != .nothing, !type(of: verb).onlyLooks { looked.withLock { $0 = false } }
    let nested = Mutex<(executions: [Execution], bytes: Int)>(([], 0))
    let context = Context(
      workspace: workspace, files: files, encoders: encoders, progress: progress,
      cancellation: cancellation.withLock { $0 }, statement: statement, file: file,
      nested: Context.Nested(
        run: { [self] statement, file in
          let execution = run(statement, file: file, in: recording)
          let isTooLong = nested.withLock { nested in
            nested.bytes += execution.answer.text.reduce(0) { $0 + $1.utf8.count + 1 }
            if nested.bytes <= Self.longestAnswer { nested.executions.append(execution) }
            return nested.bytes > Self.longestAnswer
          }
          guard isTooLong, recording == .block, execution.status == 0 else { return execution }
          let tooLong = CommandError.tooLong("The answer of a block", Self.longestAnswer)
          let end = Execution(verb: name, result: .failure(explained(tooLong, name, statement, file, files)))
          show(.executed(end))
          return end
        },
        runQuietly: { [self] in execute($0, file: nil, writesDocument: false) },
        depth: nesting.withLock { $0.depth }, isInBlock: nesting.withLock { $0.blocks > 0 }, loops: loops,
        send: show, forget: { [self] in unlogged.withLock { $0 = [:] } }, terminal: terminal,
        enter: { [self] session in nestedSession.withLock { $0 = session } }),
      read: read, answer: { [self] in lastAnswer(of: $0) })
    var execution = Execution(
      verb: parsed.name, result: .success(Report(verb: parsed.name)), source: statement.source)
    var discard: (() -> Void)?
    do {
      let effect = try verb.perform(in: context)
      discard = effect.discard
      execution.nested = nested.withLock { $0.executions }
      try workspace.writeIfPossible { workbench in
        let isMoved = try isLogged && workbench.lastStepID() != read.step
        if isMoved, try read.seedHasChanged(workbench) || !effect.isCurrent(workbench) {
          guard !attempts.mayRepeat else { throw Stale() }
          progress.message(
            "Another shell has changed what \(name) began with, so that a replay may come to something else.")
        }
        let statement = try isLogged ? settled(line, read, attempts, workbench) : statement
        let options = try effect.recordedOptions(workbench)
        var report = try effect.commit(workbench)
        report.verb = parsed.name
        execution.result = .success(report)
        execution.command = ([files.recorded(statement, texts: line.texts)] + options).joined(
          separator: " ")
        execution.isStep =
          try isLogged || records && recording == .block && fold(execution, after: read.step, workbench)
        let step = execution.isStep || recording == .step ? execution.step : nil
        if execution.isStep, let step {
          guard step.answer.utf8.count <= Self.longestAnswer else {
            throw CommandError.tooLong("An answer", Self.longestAnswer)
          }
          try workbench.log(step)
        }
        execution.explanations = try advise(&report, step?.answer, recording, workbench)
        execution.result = .success(report)
      }
      effect.afterCommit()
      progress.finish()
      if case .success(let report) = execution.result {
        let isKnown = execution.isStep || recording == .block
        unlogged.withLock { $0[parsed.name] = isKnown ? JSONValue?.none : .object(report.json) }
      }
      if line.writesDocument, recording != .nothing { try catchUp() }
    } catch is Stale {
      progress.finish()
      discard?()
      throw Stale()
    } catch {
      progress.finish()
      execution.nested = nested.withLock { $0.executions }
      let failure = explained(error, parsed.name, statement, file, files)
      execution.result = .failure(failure)
      execution.isStep = false
      execution.command = files.recorded(statement, texts: line.texts)
      if isLogged, failure.exitStatus != Diagnostic.usageStatus, !failure.isOfTheMachine {
        // A failed or interrupted verb is a step too: a replay expects it to fail the same way, and skips an interruption.
        do {
          try workspace.write { workbench in
            if failure.exitStatus != Diagnostic.interruptedStatus {
              if try workbench.lastStepID() != read.step, attempts.mayRepeat { throw Stale() }
              let statement = try settled(line, read, attempts, workbench)
              execution.command = files.recorded(statement, texts: line.texts)
            }
            try workbench.log(execution.step)
          }
          execution.isStep = true
        } catch is Stale {
          throw Stale()
        } catch {
          // The verb's own failure is what the learner has to know.
        }
      }
      execution.result = .failure(files.asTyped(failure))
      if line.writesDocument, recording != .nothing { try? catchUp() }
    }
    return execution
  }

  /// The statement as the document has to have it, so that a replay reads what was read here.
  ///
  /// Where another shell has changed a name since, a quick verb begins again, a loop sets its variable once more in front of the
  /// step, and a long work is recorded with the values that it had.
  private func settled(_ line: Line, _ read: ReadValues, _ attempts: Attempts, _ workbench: Workbench) throws
    -> Statement
  {
    guard try !loops.names.isEmpty || workbench.lastStepID() != read.step else { return line.statement }
    var literal: [String: String] = [:]
    for (name, value) in read.values {
      if try self.value(of: name, workbench) == value { continue }
      if let value, loops.value(name) == value {
        try workbench.log(LoopVariables.step(name, value, workbench))
      } else if line.parsed.verb is any Repeatable, attempts.mayRepeat {
        throw Stale()
      } else if let value {
        literal[name] = value
      }
    }
    return literal.isEmpty ? line.statement : line.statement.replacing(literal)
  }

  /// Gives a report the hint that it lacks, unless the learner wants none; returns the lines for words that are new here.
  ///
  /// - Parameter answer: the report as a document has it.
  private func advise(
    _ report: inout Report, _ answer: String?, _ recording: Recording, _ workbench: Workbench
  ) throws -> [String] {
    guard try Settings(workbench).hints else {
      report.hint = nil
      return []
    }
    guard recording == .step, let answer else { return [] }
    // The tour itself says what comes next, and has explained what its own commands answer with.
    let waiting = offered.withLock { $0 }
    report.hint = try waiting == nil ? report.hint ?? workbench.nextStep() : nil
    // Which words were explained has to be kept.
    guard !workspace.isReadOnly else { return [] }
    let lines = try Glossary.newLines(for: answer, workbench)
    return waiting.flatMap(VerbParser.name(ofVerbIn:)) == report.verb ? [] : lines
  }

  /// Runs a line of a script or a block.
  private func run(_ statement: Statement, file: String?, in outer: Recording) -> Execution {
    let lines = nesting.withLock { nesting in
      nesting.lines += 1
      nesting.depth += 1
      if outer == .block { nesting.blocks += 1 }
      return nesting.lines
    }
    defer {
      nesting.withLock {
        $0.depth -= 1
        if outer == .block { $0.blocks -= 1 }
      }
    }
    var execution =
      lines > Self.mostLines
      ? Execution(
        verb: "run", result: .failure(explained(CommandError.tooManyLines, "run", statement, file, files())))
      : execute(statement, file: file)
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

  /// Writes what is logged into the session's document; not before a block has ended, which may fold its steps. Nobody opens the
  /// document of a workspace that goes with its replay.
  private func catchUp() throws {
    guard records, !workspace.isTemporary, nesting.withLock({ $0.blocks == 0 }) else { return }
    try SessionDocument(workspace).catchUp()
  }

  private func explained(
    _ error: any Error, _ verb: String, _ statement: Statement, _ file: String?, _ files: FileAccess
  ) -> Diagnostic {
    var failure = Diagnostic(explaining: error, verb: verb, statement: statement, file: file)
    if case TaskError.unknownModel(let name, _) = error,
      let better = ModelLibrary(workspace, encoders).explain(unknown: name)
    {
      (failure.code, failure.message) = (better.code, better.message)
    }
    files.explain(&failure, words: statement.words.map { $0.expanded(using: value(of:)) })
    if file == nil, failure.source == nil, failure.line == nil, nesting.withLock({ $0.blocks > 0 }) {
      failure.show(statement.words.first?.column, in: statement)
    }
    return failure
  }

  /// What `$name` stands for: a variable, or a field of a verb's last answer (`kpi.accuracy`), in this process or in the log.
  private func value(of name: String) -> String? {
    if let own = loops.value(name) { return own }
    return (try? workspace.read { try value(of: name, $0) }) ?? nil
  }

  private func value(of name: String, _ workbench: Workbench) throws -> String? {
    let path = name.split(separator: ".").map(String.init)
    guard path.count > 1 else { return try Settings(workbench).variable(name) }
    var value = try lastAnswer(of: path[0], workbench)
    for key in path.dropFirst() { value = value?[key] }
    return value?.word
  }

  /// The JSON of a verb's last answer; of a verb with subcommands, of whichever of them was last.
  func lastAnswer(of verb: String) -> JSONValue? {
    (try? workspace.read { try lastAnswer(of: verb, $0) }) ?? nil
  }

  private func lastAnswer(of verb: String, _ workbench: Workbench) throws -> JSONValue? {
    let here = unlogged.withLock { answers in
      answers[verb] ?? answers.first { $0.key.hasPrefix(verb + " ") }?.value
    }
    if let here { return here }
    return try workbench.lastJSON(ofVerb: verb).flatMap { try? JSONValue(parsing: $0) }
  }
}

extension CommandError {
  static let tooManyLines = CommandError.other(
    code: "too-many-lines",
    "One line runs at most \(grouped(Interpreter.mostLines)) others, and here would be more. Take some of the values out."
  )
}
