import Foundation
import Shell
import Tasks
import Transcripts

/// A document that the tour can follow.
enum TourRoad: String, CaseIterable {
  case tutorial
  case languageModel = "language-model"

  var document: String { "Sessions/\(rawValue).md" }

  var other: TourRoad { self == .tutorial ? .languageModel : .tutorial }

  /// Whom one meets on it.
  var companion: String {
    self == .tutorial ? "a model that compares texts" : "a language model, which answers in words"
  }

  /// What it needs beside the embedded model.
  var model: String? { self == .languageModel ? ModelCache.standardLanguageModelName : nil }
}

/// The tour's text and commands: those of a shipped document, so that they are written once.
struct TourScript {
  struct Stop: Equatable {
    /// The section's number; nil behind the last of them.
    var number: Int?
    var title: String
    /// What is to be read before the command, in Markdown.
    var prose: String
    var command: String

    /// Whether it is the step to wait for.
    var isSlow: Bool { command.hasPrefix("finetune") && !command.contains("--method linear") }
  }

  private(set) var stops: [Stop] = []
  var steps: Int { stops.compactMap(\.number).max() ?? 0 }

  static func shipped(_ road: TourRoad) throws -> TourScript {
    let name = road.document
    guard let url = Installation.running.folder?.appending(path: name), let data = try? Data(contentsOf: url),
      let text = String(validating: data, as: UTF8.self)
    else {
      throw CommandError.other(
        code: "no-tutorial",
        "The tour reads \(name), which should lie beside fettle or in share/fettle. Install it again: make install"
      )
    }
    return TourScript(try Document(parsing: text, file: name))
  }

  init(_ document: Document) {
    var section: (number: Int?, title: String)?
    var prose = ""
    for part in document.parts {
      switch part {
      case .prose(let text):
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
          if let heading = line.wholeMatch(of: #/## +(?:(\d+)\. +)?(.+)/#)?.output {
            section = (heading.1.flatMap { Int($0) }, String(heading.2))
            prose = ""
          } else {
            prose += line + "\n"
          }
        }
      case .step(let step):
        // `expect` pins what the document claims; the learner's own numbers are their own.
        guard let section, !step.isInterrupted, !step.command.hasPrefix("expect ") else { continue }
        stops.append(
          Stop(
            number: section.number, title: section.title,
            prose: prose.trimmingCharacters(in: .whitespacesAndNewlines), command: step.command))
        prose = ""
      }
    }
  }

  func beginsSection(_ index: Int) -> Bool { index == 0 || stops[index - 1].title != stops[index].title }

  /// The prose before a command as the document has it, for the learner's own: with the section's heading.
  func note(before index: Int) -> String {
    let stop = stops[index]
    let number = stop.number.map { "\($0). " } ?? ""
    let heading = beginsSection(index) ? ["## \(number)\(stop.title)"] : []
    return (heading + (stop.prose.isEmpty ? [] : [stop.prose])).joined(separator: "\n\n")
  }

  /// How long the tour takes, to the nearest five minutes: 200 words a minute, and as long as 50 words for each command with its answer.
  var minutes: Int {
    let words = stops.reduce(0) { $0 + $1.prose.split(whereSeparator: \.isWhitespace).count + 50 }
    return max(5, Int((Double(words) / 200 / 5).rounded()) * 5)
  }
}
