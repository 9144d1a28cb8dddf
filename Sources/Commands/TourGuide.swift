import Foundation
import Shell
import Workbench

/// The tour's part at the prompt: which command stands ready, and what its own short words mean.
extension Application {
  /// Offered in place of the next command where the answer above fills the window: whoever is ready to read on says so.
  private static let goOn = "next"
  private static let places = [goOn, "back", "stop"]

  /// Runs a line that was typed at the prompt. While a tour is under way `next`, `back` and `stop` are the tour's, and the text
  /// before its command goes into the document with it.
  public func runTyped(_ statement: Statement, cancellation: Cancellation) -> Execution {
    guard let waiting = interpreter.offered.withLock({ $0 }) else {
      return run(statement, cancellation: cancellation)
    }
    if statement.words.count == 1, let place = Self.places.first(where: { $0 == statement.words[0].text }) {
      return run(Self.statement(["tour", place]), cancellation: cancellation)
    }
    if let verb = VerbParser.name(ofVerbIn: statement.words), verb == VerbParser.name(ofVerbIn: waiting) {
      try? noteProse()
    }
    return run(statement, cancellation: cancellation)
  }

  /// The command to have ready at the prompt after another has run: where a tour is under way, its next one once this one has
  /// run, and until then the same.
  public func offer(after execution: Execution) -> String? {
    if execution.verb == "tour" {
      guard case .success(let report) = execution.result else { return interpreter.offered.withLock { $0 } }
      interpreter.offered.withLock { $0 = report.offer }
      return report.offer
    }
    guard let waiting = interpreter.offered.withLock({ $0 }) else { return nil }
    guard execution.status == 0, execution.verb == VerbParser.name(ofVerbIn: waiting) else { return waiting }
    noteSpeed(execution)
    // An Enter that was pressed while it ran is no answer to what has not been read yet.
    KeyPresses(isCancelled: { false }).forget()
    if (try? pauses(after: execution)) == true {
      interpreter.offered.withLock { $0 = Self.goOn }
      return Self.goOn
    }
    return offer(after: run(Self.statement(["tour", "next"]), cancellation: Cancellation()))
  }

  /// Whether Ctrl-D left a tour, and not the shell.
  public func leavesTour() -> Bool {
    guard interpreter.offered.withLock({ $0 }) != nil else { return false }
    _ = offer(after: run(Self.statement(["tour", "stop"]), cancellation: Cancellation()))
    return true
  }

  /// Goes on to the next stop without showing it, where its text would push the answer out of the window; whether it did.
  private func pauses(after execution: Execution) throws -> Bool {
    guard terminal.isTerminal, case .success(let report) = execution.result else { return false }
    return try workspace.write { workbench in
      let settings = try Settings(workbench)
      let script = try TourScript.shipped(settings.road)
      guard let index = try settings.tour.map({ $0 + 1 }) else { return false }
      // The end says the little that is left.
      let next =
        try script.stops.indices.contains(index) ? Tour.report(script, index, settings) : Report(verb: "tour")
      let drawing = terminal.drawing
      let text = drawing.draw(report) + drawing.draw(next)
      // Training says a line an epoch before it answers.
      let epochs = report.json["epochs"]?.number.map { Int($0) } ?? 0
      let lines = text.count { $0 == "\n" } + epochs
      // The command above, and the one that will stand ready below, may be longer than a line.
      let commands = [execution.source, next.offer ?? ""].map {
        ("fettle> ".count + $0.count) / terminal.width + 1
      }
      guard lines + commands.reduce(0, +) > terminal.height else { return false }
      try settings.set(tour: index)
      try settings.set(isTourUnread: true)
      return true
    }
  }

  /// Remembers how long the road's first `predict` took: later ones may ask another model. One that went on where it had been
  /// interrupted, or had nothing left to do, tells little.
  private func noteSpeed(_ execution: Execution) {
    guard execution.verb == "predict", case .success(let report) = execution.result,
      let seconds = report.timing["seconds"]?.number, seconds > 0.1
    else { return }
    try? workspace.write { workbench in
      let settings = try Settings(workbench)
      if try settings.secondsToPredict == nil { try settings.set(secondsToPredict: seconds) }
    }
  }

  /// Writes the text before the tour's command into the log, once, so that the document reads as the tour did.
  private func noteProse() throws {
    guard interpreter.records else { return }
    try workspace.write { workbench in
      let settings = try Settings(workbench)
      let script = try TourScript.shipped(settings.road)
      guard let index = try settings.tour, script.stops.indices.contains(index),
        try !settings.toured.contains(index)
      else { return }
      try settings.set(toured: settings.toured.union([index]))
      let note = script.note(before: index)
      guard !note.isEmpty else { return }
      try workbench.log(LoggedStep(verb: "note", command: note, answer: "", status: .note))
    }
  }
}
