import Commands
import Foundation
import Shell

/// Draws what the interpreter tells: reports on standard output, failures on standard error, or JSON alone.
struct Screen: Sendable {
  let output: Terminal
  let error: Terminal
  let progress: Shell.Progress
  let json: Bool
  /// Whether a person watches, who is told what usually comes next.
  let hints: Bool
  /// Whether there is a line editor in which an offered command stands ready.
  var offers = false

  /// Whether nobody will read what is shown from now on.
  var isLost: Bool { output.failure != nil }

  func show(_ event: Interpreter.Event) {
    switch event {
    case .live(let line): (json ? error : output).write(line + "\n")
    case .typed(let text): (json ? error : output).write(text)
    case .executed(let execution):
      switch execution.result {
      case .success(let report): show(report, explanations: execution.explanations)
      case .failure(let failure): show(failure, verb: execution.verb)
      }
    }
  }

  private func show(_ report: Report, explanations: [String]) {
    if json {
      for line in report.jsonLines { output.write(line.line + "\n") }
      return
    }
    var report = report
    report.hint = hints ? report.hint.map { "next: \($0)" } : nil
    if let offer = report.offer, !offers { report.blocks.append(.preformatted(["  " + offer])) }
    output.write(output.drawing.draw(report))
    if !explanations.isEmpty {
      let aside = Report(verb: report.verb, blocks: explanations.map { .line(Cell($0)) })
      error.write(error.drawing.draw(aside))
    }
  }

  func show(_ failure: Failure, verb: String?) {
    if json {
      output.write(failure.json(verb: verb).line + "\n")
    } else {
      error.write(error.drawing.draw(failure))
    }
  }
}
