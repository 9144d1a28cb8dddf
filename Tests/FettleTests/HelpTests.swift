import Foundation
import PseudoTerminal
import Testing

/// What the shell says of itself: help, hints.
@Suite struct HelpTests {
  /// A workspace that has come through the tutorial, in a folder with all files that help's examples name.
  private func front() throws -> Front {
    let front = try Front()
    try front.installLanguageModel()
    for folder in ["Samples", "Sessions"] {
      try FileManager.default.copyItem(
        at: Front.repository.appending(path: folder), to: front.folder.appending(path: folder))
    }
    try FileManager.default.createDirectory(
      at: front.folder.appending(path: "Downloads"), withIntermediateDirectories: true)
    try FileManager.default.copyItem(
      at: Front.repository.appending(path: "Tests/EncoderTests/Reference/tiny-bert"),
      to: front.folder.appending(path: "Downloads/all-MiniLM-L6-v2"))
    try front.write("id,subject,body,topic\n1,a,news,World\n2,b,z y x,Sports\n", to: "letters.csv")
    try front.write("When,Who,Why?,How was it?\n1,x,news,Praise\n2,y,z y x,Complaint\n", to: "answers.csv")
    try front.write("{\"headline\": \"news\", \"category\": \"TOWN\"}\n", to: "archive.json")
    try front.write("TOWN,Local\n", to: "sections.csv")
    try front.write("news of the day\nz y x\n", to: "letters.txt")
    try front.write("status\n", to: "lesson.fettle")
    let ready = try front.lines(
      "interface load Samples/interface.json", "load Samples/news-2.csv --sample 100", "label simulate",
      "load Samples/news-1.csv", "label simulate", "predict", "kpi", "finetune --method linear",
      "validate --dataset news-2")
    #expect(ready.status == 0, "\(ready.error)")
    return front
  }

  /// Examples that need a person or a network, or answer otherwise with a model that was never trained.
  private static let notRun = [
    "label --author ana", "label", "label --author ana --dataset news-2", "model install",
    "model install smollm2",
    // These answer until they are ended: ServeTests and TransportTests ask them.
    "serve", "serve --port 0", "serve --host 0.0.0.0 --token-env FETTLE_TOKEN",
  ]
  /// A language model takes its time for a data set: LanguageModelTests and LanguageTuningTests ask and teach for little ones, the
  /// documents for large.
  private static let long = [
    "predict --model smollm2", "predict --model smollm2 --decide", "finetune --base smollm2",
  ]
  private static let mayFail = ["expect", "replay", "run Sessions"]

  private func examples(_ help: String) -> [String] {
    help.split(separator: "\n", omittingEmptySubsequences: false).drop { $0 != "Examples:" }.dropFirst()
      .prefix { $0.hasPrefix("  ") }.map { $0.trimmingCharacters(in: .whitespaces) }
  }

  @Test("Every verb's help says why, shows examples that run, and names the next step")
  func everyVerb() throws {
    let front = try front()
    let list = try object(front.run("--json", "help").lines[0])
    let verbs = try #require(list["verbs"] as? [[String: String]]).compactMap { $0["name"] }
    #expect(verbs.prefix(5) == ["load", "interface", "tokens", "embed", "complete"], "\(verbs)")
    let ready = front.folder.appending(path: ".fettle")
    let kept = front.folder.appending(path: "ready")
    try FileManager.default.copyItem(at: ready, to: kept)
    for verb in verbs {
      try FileManager.default.removeItem(at: ready)
      try FileManager.default.copyItem(at: kept, to: ready)
      let help = try front.run("help", verb).output
      let why = help.split(separator: "\n\n").dropFirst().first ?? ""
      #expect(!why.hasPrefix("Examples:") && !why.hasPrefix("USAGE:"), "help \(verb) gives no reason")
      #expect(help.contains("\nNext: "), "help \(verb) names no next step")
      #expect(!examples(help).isEmpty, "help \(verb) has no examples")
      for example in examples(help) where !(Self.notRun + Self.long).contains(example) {
        let outcome = try front.run("-c", example)
        let mayFail = Self.mayFail.contains(where: example.hasPrefix)
        #expect(outcome.status == 0 || mayFail && outcome.status == 1, "\(example): \(outcome.error)")
      }
    }
  }

  @Test("help fits the window: 40 columns, and no wider than 110")
  func width() throws {
    let front = try Front(tiny: false)
    for (columns, limit) in [(50, 50), (200, 110)] {
      let terminal = try front.prompt(columns: columns)
      // High enough that nothing stops.
      terminal.resize(columns: columns, rows: 120)
      terminal.type("help load\n")
      try terminal.wait(for: "--skip-bad")
      try terminal.waitForPrompt()
      let widest = terminal.screen.text.split(separator: "\n").map(\.count).max() ?? 0
      #expect(widest <= limit)
    }
  }

  @Test("A hint leads on from a file without categories, and past the last step")
  func nextSteps() throws {
    let front = try Front()
    try front.write("id,text\na,news of the day\nb,z y x\nc,news of x\n", to: "own.csv")
    try front.lines("load own.csv")
    let terminal = try front.prompt()
    for (line, hint) in [
      ("datasets", #"next: interface define "A, B, C""#),
      (#"interface define "World, Sports""#, "next: classify"),
      ("predict", "next: label, at the keyboard"), ("status", "next: label, at the keyboard"),
      ("label set a World", "next: kpi"), ("label set b Sports", "next: kpi"), ("datasets", "next: finetune"),
      ("finetune --method linear", "next: predict labels the others"), ("datasets", "next: predict"),
      ("predict", "next: export predictions FILE.csv"), ("datasets", "next: export predictions FILE.csv"),
      ("label set c World", "next: kpi"), ("datasets", "next: validate"),
    ] {
      terminal.type("\(line)\n")
      try terminal.wait(for: hint)
      try terminal.waitForPrompt()
    }
  }

  @Test(
    "Hints stand after an answer at the prompt alone; config hints off ends them, as a step of the document")
  func hints() throws {
    let front = try Front(tiny: false)
    try front.writeLetters()
    #expect(!(try front.run("load", "letters.csv").output.contains("next:")))
    let terminal = try front.prompt()
    for (verb, hint) in [
      ("datasets", "next: interface define --from letters"), ("status", "next: interface"),
    ] {
      terminal.type("\(verb)\n")
      try terminal.wait(for: hint)
      try terminal.waitForPrompt()
    }
    terminal.type("config hints off\n")
    try terminal.wait(for: "hints  off")
    try terminal.waitForPrompt()
    terminal.type("datasets\n")
    try terminal.wait(for: "letters")
    try terminal.waitForPrompt()
    #expect(!terminal.screen.text.split(separator: "config hints off").last!.contains("next:"))
    terminal.type("\u{4}")
    _ = try terminal.waitForExit()
    #expect(try front.read(".fettle/session.md").contains("fettle> config hints off\n  hints  off"))
    #expect(try front.run("replay", ".fettle/session.md").status == 0)
    #expect(try front.run("config", "hints", "perhaps").status == 2)
    #expect(try front.run("config", "hints", "on").output == "  hints  on\n")
  }
}
