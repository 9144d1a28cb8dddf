import Basics
import Classifiers
import Encoder
import Foundation
import HTTP
import Shell
import Tasks
import Transcripts
import Workbench

extension Diagnostic {
  /// Any error as the learner sees it: what is wrong, where, what to do next.
  init(explaining error: any Error, verb: String, statement: Statement, file: String?) {
    self.init(code: "failed", message: "", exitStatus: 1)
    self.file = file
    if file != nil {
      line = statement.line
      show(statement.words.first?.column, in: statement)
    }
    switch error {
    case is CancellationError:
      (code, message, exitStatus) = ("interrupted", Self.interruption(of: verb), Self.interruptedStatus)
    case let error as InterruptedPredictions:
      (code, message, exitStatus) = ("interrupted", error.message, Self.interruptedStatus)
    case let error as VerbParser.Unknown:
      (code, message, exitStatus) = ("unknown-verb", error.message, Self.usageStatus)
      show(error.word.column, in: statement)
    case let error as VerbParser.Misuse:
      (code, message, exitStatus) = ("usage", error.message, Self.usageStatus)
      show(error.column, in: statement)
    case let error as Diagnostic: self = error
    case let error as AlreadyReported:
      self = error.diagnostic ?? self
      wasShown = true
    case let error as LanguageError:
      self = error.diagnostic
    case let error as CommandError:
      (code, message) = (error.code, error.description)
      if case .usage = error { exitStatus = Self.usageStatus }
      if case .expectation(_, let numbers) = error { self.numbers = numbers }
    case let error as TaskError:
      (code, message) = (error.code, error.description)
    case let error as PromptError:
      (code, message) = ("prompt", error.description)
    case let error as LoadError:
      (code, message) = (error.code, error.description)
      if case .badOption = error { exitStatus = Self.usageStatus }
      place(error.place)
    case let error as InterfaceError:
      (code, message) = (error.code, error.description)
      place(error.place)
    case let error as WorkspaceError:
      (code, message) = (error.code, error.description)
    case let error as ModelError:
      (code, message) = (error.code, error.description)
    case let error as AddressSpace.Shortage:
      (code, message) = ("memory-short", error.description)
    case let error as DocumentError:
      (code, message) = (error.code, error.description)
    case let error as HTTPError:
      if error == .cancelled { exitStatus = Self.interruptedStatus }
      (code, message) = (error.code, error.description)
    default:
      // A sentence of the operating system's is better than none, though it is not ours.
      (code, message) = ("unexpected", "\(verb) failed: \(error.localizedDescription)")
    }
  }

  /// What is kept of a verb that was stopped, and how to go on.
  private static func interruption(of verb: String) -> String {
    switch verb {
    case "finetune": "Interrupted: no model was made, and nothing else has changed. finetune begins anew."
    case "load": "Interrupted: nothing was loaded. load begins anew."
    case "model install": "Interrupted. What came is kept: model install goes on from there."
    case "replay": "Interrupted: your own work is as it was. replay begins anew."
    case "run", "for": "Interrupted: what was done before this is kept, and no line behind it has run."
    case let verb where verb.hasPrefix("export"): "Interrupted: nothing was written. \(verb) begins anew."
    default: "Interrupted: nothing has changed. \(verb) begins anew."
    }
  }

  /// The place in the line that was typed, with the line for a caret.
  mutating func show(_ column: Int?, in statement: Statement) {
    self.column = column
    source = column == nil ? nil : statement.physicalLine(statement.line)
  }

  /// The place in a data file is worth more than the place of the command that reads it.
  private mutating func place(_ place: Place?) {
    guard let place, place.line != nil else { return }
    (file, line, column, source) = (place.file, place.line, place.column, nil)
  }
}
