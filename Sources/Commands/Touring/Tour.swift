import ArgumentParser
import Classifiers
import Foundation
import Shell
import Tasks
import Workbench

/// The tour at the prompt: explains a step, has its command ready, goes on when it has run.
struct Tour: Verb {
  static let recording = Recording.nothing
  static let configuration = CommandConfiguration(
    commandName: "tour", abstract: "Walk through fine-tuning in nine steps, explained one by one.",
    discussion: """
      The tour follows Kili's tutorial, by one of two roads: tutorial, with a model that compares texts, and language-model, as it was \
      written, with one that answers in words. It explains each step and has its command ready in grey: Enter runs it, and what you type instead \
      is run as ever, while the tour waits. The right arrow puts it into the line, to be edited. As long as the tour runs, next and back go \
      one command on or back and stop leaves it, as Ctrl-D does; tour comes back to where you were, and tour 5 goes to step 5. What you run is \
      your own work, recorded as if you had typed it, with the tour's text before each command.

      Examples:
        tour
        tour 5
        tour language-model
        tour stop

      Next: Enter.
      """)

  enum Place: ExpressibleByArgument, Equatable {
    case next, back, stop
    case step(Int)
    case road(TourRoad)

    init?(argument: String) {
      switch argument {
      case "next": self = .next
      case "back": self = .back
      case "stop": self = .stop
      default:
        if let road = TourRoad(rawValue: argument) {
          self = .road(road)
        } else {
          guard let number = Int(argument) else { return nil }
          self = .step(number)
        }
      }
    }

    static var allValueStrings: [String] {
      ["next", "back", "stop"] + TourRoad.allCases.map(\.rawValue) + (1...9).map(String.init)
    }
  }

  @Argument(help: "Where to: a step's number, next, back, stop, or the other road.") var place: Place?

  func perform(in context: Context) throws -> Effect {
    guard !context.files.isReplay else { throw CommandError.notInReplay(verb: "tour") }
    let scripts = try Dictionary(
      uniqueKeysWithValues: TourRoad.allCases.map { ($0, try TourScript.shipped($0)) })
    let languageModels = Set(context.models.cache.languageModels.map(\.name))
    return Effect { workbench in
      let settings = try Settings(workbench)
      if case .road(let road) = place { try settings.set(road: road) }
      let road = try settings.road
      guard let script = scripts[road] else { return Report(verb: "tour") }
      let before = try settings.tour
      if place == .stop { return Self.leaving(script, before) }
      let index = try index(in: script, from: before, isUnread: settings.isTourUnread)
      try settings.set(isTourUnread: false)
      guard script.stops.indices.contains(index) else {
        try settings.set(tour: nil)
        try settings.set(toured: [])
        return try Self.end(workbench, of: road)
      }
      try settings.set(tour: index)
      if let model = road.model, !languageModels.contains(model) {
        try settings.set(isTourUnread: true)
        return Self.fetching(model)
      }
      return try Self.report(script, index, settings, greets: before == nil, namesPlace: place != .next)
    }
  }

  /// - Parameter isUnread: whether the stop that the tour has reached has not been shown yet.
  private func index(in script: TourScript, from before: Int?, isUnread: Bool) throws -> Int {
    let here = min(before ?? 0, script.stops.count)
    switch place {
    case nil, .stop, .road: return here
    case .next: return before == nil || isUnread ? here : here + 1
    case .back: return max(0, here - 1)
    case .step(let number):
      guard let index = script.stops.firstIndex(where: { $0.number == number }) else {
        throw CommandError.usage("The tour has the steps 1 to \(script.steps); there is no step \(number).")
      }
      return index
    }
  }

  /// What the tour says at a stop.
  ///
  /// - Parameters:
  ///   - greets: whether it has only begun.
  ///   - namesPlace: whether the heading is wanted in the middle of a section, too: by who comes back.
  static func report(
    _ script: TourScript, _ index: Int, _ settings: Settings, greets: Bool = false, namesPlace: Bool = false
  ) throws -> Report {
    let stop = script.stops[index]
    let road = try settings.road
    var report = Report(verb: "tour")
    if greets {
      report.blocks.append(
        .prose(
          "A tour in \(script.steps) steps, about \(script.minutes) minutes, most of them reading. It follows *How to fine "
            + "tune large language models*, a tutorial by Kili, whose software people label texts with; here "
            + "with \(road.companion). (The other road, with \(road.other.companion): `tour \(road.other.rawValue)`.) Enter runs the "
            + "command that stands ready; `next`, `back` and `stop` are yours at any time, and `tour` comes back."
        ))
    }
    if namesPlace || script.beginsSection(index) {
      let progress = stop.number.map { "Step \($0) of \(script.steps): " } ?? ""
      report.blocks += [.line(""), .prose("# \(progress)\(stop.title)")]
    }
    report.blocks.append(.line(""))
    if !stop.prose.isEmpty { report.blocks += [.prose(stop.prose), .line("")] }
    if stop.isSlow { report.blocks += [.prose(Self.patience(try settings.secondsToPredict)), .line("")] }
    report.offer = stop.command
    report.json = [
      "step": stop.number.map(JSONValue.int) ?? .null, "title": .string(stop.title),
      "command": .string(stop.command),
    ]
    return report
  }

  /// What is said where the road's model is not there; installing it goes on with the tour.
  private static func fetching(_ model: String) -> Report {
    var report = Report(verb: "tour")
    report.blocks += [
      .line(""),
      .prose(
        "This road asks a language model, \(model), 98 MB, which is not installed. Enter fetches it, once; after that no network is "
          + "needed. Without a network, its GGUF file will do: `model install --from FILE --name \(model)`. Then the tour goes on."
      ),
      .line(""),
    ]
    report.offer = "model install \(model)"
    report.json = ["step": .null, "title": .null, "command": .string("model install \(model)")]
    return report
  }

  /// How long training will take here. Full fine-tuning passes forward and backward over each example, five times, where `predict`
  /// passes forward over it once: measured, 14 times as long. LoRA on twice as many texts as were predicted: as long, too.
  private static func patience(_ secondsToPredict: Double?) -> String {
    guard let seconds = secondsToPredict.map({ $0 * 14 }) else {
      return "This is the one command to wait for. A bar shows how far it is, and Ctrl-C stops it."
    }
    let about =
      switch seconds {
      case ..<10: "about 10 seconds"
      case ..<55: "about \(Int((seconds / 10).rounded(.up)) * 10) seconds"
      case ..<90: "about a minute"
      default: "about \(Int((seconds / 60).rounded(.up))) minutes"
      }
    return
      "It takes \(about) here, by how long `predict` took. A bar shows how far it is, and Ctrl-C stops it."
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

  /// The last lines: what has come of it, by the last `validate`.
  private static func end(_ workbench: Workbench, of road: TourRoad) throws -> Report {
    var report = Report(verb: "tour")
    if let outcome = try TourOutcome(workbench) {
      report.blocks += [.line(""), .line(Cell(outcome.text)), .line("")]
    }
    report.blocks.append(
      .line(
        "That was the tour. What you did is a document: session show, session save FILE, session export FILE.html. tour 1 begins anew."
      ))
    report.blocks.append(.line("The other road, with \(road.other.companion): tour \(road.other.rawValue)"))
    return report
  }
}

/// What tuning has changed, in one line: the measures of the last `validate`, with their reason.
struct TourOutcome {
  let text: String

  /// nil where nothing has been validated.
  init?(_ workbench: Workbench) throws {
    guard let json = try workbench.lastJSON(ofVerb: "validate").flatMap({ try? JSONValue(parsing: $0) }),
      case .string(let model)? = json["model"], case .string(let base)? = json["base"],
      case .int(let assets)? = json["assets"], let after = json["accuracy"]?.number,
      let before = json["base_accuracy"]?.number, let low = json["accuracy_low"]?.number,
      let high = json["accuracy_high"]?.number, let p = json["p_value"]?.number
    else { return nil }
    let tuned = try workbench.models().first { $0.name == AnswerWay.split(model).name }
    let examples = tuned.map { counted($0.examples, "label") } ?? "labels"
    let untaught =
      tuned?.taught == nil ? "the categories' names alone do not say" : "no prompt alone could tell it"
    let reason =
      switch (after > before, p < 0.05) {
      case (true, true):
        "\(examples) taught it what \(untaught); that is hardly chance (McNemar's p \(Self.shown(p)))."
      case (true, false): "that may be chance yet (McNemar's p \(Self.shown(p))); validate on more texts."
      default: "tuning has not helped here. Look at: show assets --where disagree"
      }
    text =
      "\(base) \(fixed(before, 2)) → \(model) \(fixed(after, 2)) (95 % \(fixed(low, 2)) to \(fixed(high, 2))) of "
      + "\(counted(assets, "unseen text")) right: \(reason)"
  }

  private static func shown(_ value: Double) -> String { value < 0.0001 ? "below 0.0001" : fixed(value, 4) }
}

extension Settings {
  /// Which document the tour follows. Each has its own place and the rest below.
  var road: TourRoad { get throws { try workbench.setting("tour_road").flatMap(TourRoad.init) ?? .tutorial } }
  func set(road: TourRoad) throws {
    try workbench.set("tour_road", to: road == .tutorial ? nil : road.rawValue)
  }

  private func ofRoad(_ key: String) throws -> String {
    let road = try road
    return road == .tutorial ? key : "\(key) \(road.rawValue)"
  }

  /// Where the tour is: which of its commands comes next; nil before it begins.
  var tour: Int? { get throws { try workbench.setting(ofRoad("tour")).flatMap(Int.init) } }
  func set(tour: Int?) throws { try workbench.set(ofRoad("tour"), to: tour.map(String.init)) }

  /// Whether the tour has gone on without showing where to, since the answer before fills the window.
  var isTourUnread: Bool { get throws { try workbench.setting(ofRoad("tour_unread")) != nil } }
  func set(isTourUnread: Bool) throws {
    try workbench.set(ofRoad("tour_unread"), to: isTourUnread ? "yes" : nil)
  }

  /// How long this machine took for the tour's first `predict`; nil before that.
  var secondsToPredict: Double? {
    get throws { try workbench.setting(ofRoad("seconds_to_predict")).flatMap(Double.init) }
  }
  func set(secondsToPredict: Double) throws {
    try workbench.set(ofRoad("seconds_to_predict"), to: String(secondsToPredict))
  }

  /// The stops whose text stands in the document.
  var toured: Set<Int> {
    get throws {
      Set((try workbench.setting(ofRoad("toured")) ?? "").split(separator: " ").compactMap { Int($0) })
    }
  }
  func set(toured: Set<Int>) throws {
    try workbench.set(
      ofRoad("toured"), to: toured.isEmpty ? nil : toured.sorted().map(String.init).joined(separator: " "))
  }
}
