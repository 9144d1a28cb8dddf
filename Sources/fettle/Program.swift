import Commands
import Foundation
import Shell
import Synchronization

/// From the arguments to the exit status.
enum Program {
  static func run(_ arguments: [String]) -> Int32 {
    // What a closed pipe does not take is lost; it is no reason to die in the middle of a step.
    signal(SIGPIPE, SIG_IGN)
    // A file that would grow past `ulimit -f` is an error of its write, as a full disk is.
    signal(SIGXFSZ, SIG_IGN)
    Terminal.reserveStandardStreams()
    let output = Terminal.standardOutput
    let status = run(arguments, output)
    guard let failure = output.failure else { return status }
    let error = Terminal.standardError
    error.write(error.drawing.draw(failure))
    return status == 0 ? failure.exitStatus : status
  }

  private static func run(_ arguments: [String], _ output: Terminal) -> Int32 {
    let json = arguments.contains("--json")
    let progress = Shell.Progress()
    let pager = Pager(output)
    var screen = Screen(
      output: output, error: .standardError, progress: progress, json: json, hints: false, pager: pager)
    do {
      try Machine.check()
      var parsed = try Arguments(Array(arguments.dropFirst()))
      if parsed.isServer { parsed.options.holding = .unitOfWork }
      switch parsed.request {
      case .version:
        output.write("fettle \(Application.version)\n")
        return 0
      case .help:
        output.write(Arguments.usage + "\n")
        return 0
      case .run: break
      }
      let isPrompt = parsed.lines.isEmpty && parsed.verb.isEmpty && Prompt.isPossible
      screen = Screen(
        output: output, error: .standardError, progress: progress, json: parsed.json,
        hints: isPrompt && output.isTerminal, pager: pager, offers: isPrompt)
      let cancellation = Cancellation()
      if !isPrompt { Interrupts.install(cancelling: cancellation) }
      let application: Application
      do {
        application = try Application(
          parsed.options, terminal: output, progress: progress,
          environment: ProcessInfo.processInfo.environment,
          show: { [screen] event in screen.show(event) })
      } catch let failure as Diagnostic where failure.code == "workspace-corrupt" {
        guard let only = try parsed.onlyStatement,
          let execution = try Application.setDamagedAside(only, parsed.options)
        else { throw failure }
        screen.show(.executed(execution))
        return execution.status
      }
      if isPrompt { return try prompt(application, screen, banner: application.banner) }
      return try batch(parsed, application, screen, cancellation)
    } catch let failure as Diagnostic {
      screen.show(failure, verb: nil)
      return failure.exitStatus
    } catch let error as LanguageError {
      screen.show(error.diagnostic, verb: nil)
      return error.diagnostic.exitStatus
    } catch {
      screen.show(Diagnostic(code: "unexpected", message: "fettle could not go on: \(error)"), verb: nil)
      return 1
    }
  }

  /// Lines from `-c`, one verb from the Unix shell, or a pipe: the first failure stops.
  private static func batch(
    _ arguments: Arguments, _ application: Application, _ screen: Screen, _ cancellation: Cancellation
  ) throws -> Int32 {
    defer { application.leave() }
    if !arguments.verb.isEmpty {
      let execution = application.run(Application.statement(arguments.verb), cancellation: cancellation)
      guard let nestedSession = execution.nestedSession else { return execution.status }
      defer { nestedSession.end() }
      guard Prompt.isPossible, !screen.json else { return execution.status }
      Interrupts.end()
      return try prompt(Application(nestedSession, from: application), screen, banner: nil)
    }
    if !arguments.lines.isEmpty {
      // All are read before the first runs: a quote left open in the last must not be found out after minutes.
      let statements = try arguments.lines.enumerated().map { index, line in
        (try Language.statements(line, file: "-c \(index + 1)"), "-c \(index + 1)")
      }
      for (statements, file) in statements {
        for statement in statements {
          let execution = application.run(statement, file: file, cancellation: cancellation)
          execution.nestedSession?.end()
          if execution.status != 0 || execution.leaves || screen.isLost { return execution.status }
        }
      }
      return 0
    }
    var source = LineSource(isCancelled: { cancellation.isCancelled })
    while let statement = try source.next() {
      let execution = application.run(statement, file: "standard input", cancellation: cancellation)
      execution.nestedSession?.end()
      if execution.status != 0 || execution.leaves || screen.isLost { return execution.status }
    }
    return cancellation.isCancelled ? 130 : 0
  }

  /// The prompt, until Ctrl-D or quit. A failure is shown, and the shell stays.
  private static func prompt(_ application: Application, _ screen: Screen, banner: String?) throws -> Int32 {
    let place = PromptPlace(application)
    defer {
      place.leave()
      application.leave()
    }
    let prompt = try Prompt(history: application.workspace.history, banner: banner)
    for failure in application.runUserSettings(ProcessInfo.processInfo.environment) {
      screen.show(failure, verb: nil)
    }
    try prompt.run(
      continuation: { source in
        guard case .incomplete(let open)? = try? Language.parse(source) else { return nil }
        return open.what
      },
      complete: { line, cursor in place.application.candidates(before: String(line[..<cursor])) },
      highlight: Application.highlights(of:), joinsLines: Application.joinsLines(behind:),
      leaves: { !place.application.leavesTour() },
      execute: { source, cancellation in
        var last: Execution?
        let start = ContinuousClock.now
        screen.pager.attend(to: place.application.isInTour ? nil : cancellation)
        do {
          for statement in try Language.statements(source) {
            let execution = place.application.runTyped(statement, cancellation: cancellation)
            if execution.clears { screen.clear() }
            if let nestedSession = execution.nestedSession { place.move(to: nestedSession) }
            if execution.leaves { return .leave }
            last = execution
            if execution.status != 0 { break }
          }
        } catch let error as LanguageError {
          screen.show(error.diagnostic, verb: nil)
        } catch {
          screen.show(Diagnostic(code: "unexpected", message: "\(error)"), verb: nil)
        }
        if last != nil, place.application.showsTimer {
          screen.show(ContinuousClock.now - start - screen.pager.waited)
        }
        return last.flatMap(place.application.offer(after:)).map(Next.offer) ?? .goOn
      })
    return 0
  }
}
