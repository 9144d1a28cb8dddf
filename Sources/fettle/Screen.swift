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
  /// Stops long answers at a windowful.
  let pager: Pager
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
      case .success(let report): show(report, execution)
      case .failure(let failure): show(failure, verb: execution.verb, asJSON: execution.format == .json)
      }
    }
  }

  private func show(_ report: Report, _ execution: Execution) {
    if let format = json ? .json : execution.format {
      show(report.text(in: format), execution)
      return
    }
    var report = report
    report.hint = hints ? report.hint.map { "next: \($0)" } : nil
    if let offer = report.offer, !offers { report.blocks.append(.preformatted(["  " + offer])) }
    show(output.drawing.draw(report), execution)
    if !execution.explanations.isEmpty {
      let aside = Report(verb: report.verb, blocks: execution.explanations.map { .line(Cell($0)) })
      error.write(error.drawing.draw(aside))
    }
  }

  /// A replay is watched, and scripts run through.
  private func show(_ text: String, _ execution: Execution) {
    let isWatched = execution.isNested || execution.verb == "replay"
    if isWatched { output.write(text) } else { pager.show(text) }
  }

  func show(_ failure: Diagnostic, verb: String?, asJSON: Bool = false) {
    if json || asJSON {
      output.write(failure.json(verb: verb).line + "\n")
    } else {
      error.write(error.drawing.draw(failure))
    }
  }

  /// How long an answer took.
  func show(_ time: Duration) {
    let seconds = Double(time.components.seconds) + Double(time.components.attoseconds) / 1e18
    output.write(output.drawing.dim(String(format: "%.2f s", seconds)) + "\n")
  }

  func clear() {
    if !output.isDumb { output.write("\u{1B}[H\u{1B}[2J\u{1B}[3J") }
  }
}
