import ArgumentParser
import Foundation
import Shell
import Transcripts
import Workbench

/// The tutorial at the prompt: explains a step, has its command ready, goes on when it has run.
struct Tour: Verb {
  static let recording = Recording.nothing
  static let configuration = CommandConfiguration(
    commandName: "tour", abstract: "Walk through the tutorial's nine steps.",
    discussion: """
      The tour explains each step and has its command ready at the prompt: Enter runs it, and you may edit it first. Any other command \
      is run as ever, and the tour waits. Ctrl-D or tour stop leaves; tour comes back to where you were, tour 5 goes to step 5, tour next and \
      tour back go one command on or back. What you run is your own work, recorded as if you had typed it.

      Examples:
        tour
        tour 5
        tour stop

      Next: Enter.
      """)

  enum Place: ExpressibleByArgument, Equatable {
    case next, back, stop
    case step(Int)

    init?(argument: String) {
      switch argument {
      case "next": self = .next
      case "back": self = .back
      case "stop": self = .stop
      default:
        guard let number = Int(argument) else { return nil }
        self = .step(number)
      }
    }

    static var allValueStrings: [String] { ["next", "back", "stop"] + (1...9).map(String.init) }
  }

  @Argument(help: "Where to: a step's number, next, back, or stop.") var place: Place?

  func perform(in context: Context) throws -> Work {
    guard !context.files.isReplay else { throw Fault.notInReplay(verb: "tour") }
    let script = try TourScript.shipped()
    return Work { workbench in
      let settings = try Settings(workbench)
      let before = try settings.tour
      if place == .stop { return Self.leaving(script, before) }
      let index = try index(in: script, from: before)
      guard script.stops.indices.contains(index) else {
        try settings.set(tour: nil)
        return Self.end
      }
      try settings.set(tour: index)
      return report(script, index, isFirst: before == nil)
    }
  }

  private func index(in script: TourScript, from before: Int?) throws -> Int {
    let here = min(before ?? 0, script.stops.count - 1)
    switch place {
    case nil, .stop: return here
    case .next: return before == nil ? 0 : here + 1
    case .back: return max(0, here - 1)
    case .step(let number):
      guard let index = script.stops.firstIndex(where: { $0.number == number }) else {
        throw Fault.usage("The tour has the steps 1 to \(script.steps); there is no step \(number).")
      }
      return index
    }
  }

  private func report(_ script: TourScript, _ index: Int, isFirst: Bool) -> Report {
    let stop = script.stops[index]
    var report = Report(verb: "tour")
    if isFirst {
      report.blocks.append(
        .prose(
          "The tutorial in \(script.steps) steps. Enter runs the command that stands ready in grey; the right arrow takes it to be "
            + "edited, or type another. Ctrl-D or `tour stop` leaves the tour, and `tour` comes back to it."
        ))
    }
    // Within a section only its beginning has a heading; who comes back is told where they are.
    if place != .next || script.beginsSection(index) {
      let progress = stop.number.map { "Step \($0) of \(script.steps): " } ?? ""
      report.blocks += [.line(""), .prose("# \(progress)\(stop.title)")]
    }
    report.blocks.append(.line(""))
    if !stop.prose.isEmpty { report.blocks += [.prose(stop.prose), .line("")] }
    report.offer = stop.command
    report.json = [
      "step": stop.number.map(JSONValue.int) ?? .null, "title": .string(stop.title),
      "command": .string(stop.command),
    ]
    return report
  }

  private static func leaving(_ script: TourScript, _ index: Int?) -> Report {
    var report = Report(verb: "tour")
    guard let index, script.stops.indices.contains(index) else {
      report.blocks.append(.line("The tour has not begun. It begins with: tour"))
      return report
    }
    let stop = script.stops[index]
    let place = stop.number.map { "step \($0), \(stop.title)" } ?? stop.title
    report.blocks.append(.line("The tour waits at \(place). Come back with: tour"))
    return report
  }

  private static var end: Report {
    var report = Report(verb: "tour")
    report.blocks.append(
      .line(
        "That was the tutorial. What you did is a document: session show, session save FILE. tour 1 begins anew."
      ))
    return report
  }
}

extension Settings {
  /// Where the tour is: which of its commands comes next; nil before it begins.
  var tour: Int? { get throws { try workbench.setting("tour").flatMap(Int.init) } }
  func set(tour: Int?) throws { try workbench.set("tour", to: tour.map(String.init)) }
}

/// The tour's text and commands: the tutorial's own document, so that they are written once.
struct TourScript {
  struct Stop: Equatable {
    /// The tutorial's step; nil behind the last of them.
    var number: Int?
    var title: String
    /// What is to be read before the command, in Markdown.
    var prose: String
    var command: String
  }

  private(set) var stops: [Stop] = []
  var steps: Int { stops.compactMap(\.number).max() ?? 0 }

  static func shipped() throws -> TourScript {
    let name = "Sessions/tutorial.md"
    guard let url = Installation.running.folder?.appending(path: name), let data = try? Data(contentsOf: url),
      let text = String(validating: data, as: UTF8.self)
    else {
      throw Fault.other(
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
}

extension FrontDoor {
  /// The command to have ready at the prompt after another has run: where a tour is under way, its next one once this one has
  /// run, and until then the same.
  public func offer(after execution: Execution) -> String? {
    if execution.verb == "tour" {
      guard case .success(let report) = execution.result else { return interpreter.offered.withLock { $0 } }
      interpreter.offered.withLock { $0 = report.offer }
      return report.offer
    }
    guard let waiting = interpreter.offered.withLock({ $0 }) else { return nil }
    guard execution.status == 0, execution.verb == Self.verb(of: waiting) else { return waiting }
    return offer(after: tour("next"))
  }

  /// Whether Ctrl-D left a tour, and not the shell.
  public func leavesTour() -> Bool {
    guard interpreter.offered.withLock({ $0 }) != nil else { return false }
    _ = offer(after: tour("stop"))
    return true
  }

  private func tour(_ place: String) -> Execution {
    run(Self.statement(["tour", place]), cancellation: Cancellation())
  }

  private static func verb(of command: String) -> String? {
    guard let words = try? Language.statements(command).first?.words else { return nil }
    return try? VerbParser.verb(from: words.map { VerbParser.Input($0) }).name
  }
}
