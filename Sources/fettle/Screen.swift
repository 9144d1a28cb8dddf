import Commands
import Foundation
import Shell

/// Draws what the interpreter tells: reports on standard output, failures on standard error, or JSON alone.
struct Screen: Sendable {
  let output: Terminal
  let error: Terminal
  let progress: Progress
  let json: Bool
  /// Whether a person watches, who is told what usually comes next.
  let hints: Bool

  func show(_ event: Interpreter.Event) {
    switch event {
    case .live(let line): (json ? error : output).write(line + "\n")
    case .executed(let execution):
      switch execution.result {
      case .success(let report): show(report)
      case .failure(let failure): show(failure, verb: execution.verb)
      }
    }
  }

  private func show(_ report: Report) {
    if json {
      for line in report.jsonLines { output.write(line.line + "\n") }
      return
    }
    output.write(output.drawing.draw(report))
    for line in report.explanations { progress.message(line) }
    if hints, let hint = report.hint { output.write(output.drawing.quiet("next: \(hint)") + "\n") }
  }

  func show(_ failure: Failure, verb: String?) {
    if json {
      output.write(failure.json(verb: verb).line + "\n")
    } else {
      error.write(error.drawing.draw(failure))
    }
  }
}
