import Foundation
import Testing
import Workbench

/// What must not mislead about a training, and what may happen to its models.
@Suite struct TrainingTests {
  private static let reference = Front.repository.appending(path: "Tests/EncoderTests/Reference")

  private func code(_ outcome: Front.Outcome) throws -> String? {
    (try object(outcome.lines.last ?? "")["error"] as? [String: Any])?["code"] as? String
  }

  /// The output without its line breaks, which the terminal's width sets.
  private func unwrapped(_ outcome: Front.Outcome) -> String {
    outcome.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
  }

  /// Forty texts that say nothing about their categories, each there five times, in capitals too.
  private func copies(_ front: Front) throws -> String {
    var rows = ["id,text,category"]
    for number in 0..<200 {
      let places = [number % 40 % 24, number % 40 / 24, number % 40 * 5 % 24, number % 40 * 11 % 24]
      let text = places.map { String(UnicodeScalar(UInt8(97 + $0))) }.joined(separator: " ")
      let category = number % 40 * 7919 % 101 % 2 == 0 ? "TIDES" : "TRAMS"
      rows.append("\(number),\(number % 3 == 0 ? text.uppercased() : text),\(category)")
    }
    return try front.write(rows.joined(separator: "\n") + "\n", to: "copies.csv")
  }

  @Test("copies of a text are held out together, in capitals too, and the answer says so")
  func copiesDoNotLeak() throws {
    let front = try Front()
    let outcome = try front.lines(
      "load \(copies(front))", "interface define --from copies", "label simulate", options: [])
    #expect(outcome.status == 0, "\(outcome.error)")
    let answer = try unwrapped(front.run("finetune", "--method", "linear", "--name", "first"))
    #expect(answer.contains("200 texts, 40 different"), "\(answer)")
    #expect(answer.contains("trained on the labels of simulated"), "\(answer)")
    let linear = try object(front.run("--json", "finetune", "--method", "linear").lines[0])
    #expect(linear["held_out"] as? Int == 200 && linear["held_out_groups"] as? Int == 40)
    #expect(try #require(linear["held_out_accuracy"] as? Double) < 0.8)
    let full = try object(
      front.run("--json", "finetune", "--method", "full", "--epochs", "3", "--holdout", "0.25").lines[0])
    let groups = try #require(full["held_out_groups"] as? Int)
    #expect(full["held_out"] as? Int == 5 * groups && groups >= 8)
  }

  @Test("one text with two labels is said") func contradictions() throws {
    let front = try Front()
    try front.write("text,label\na b c,X\nd e f,Y\nA B C,Y\ng h i,X\nj k l,Y\n", to: "two.csv")
    let outcome = try front.lines(
      "load two.csv", "interface define --from two", "label simulate", "finetune --method linear")
    #expect(outcome.status == 0, "\(outcome.error)")
    #expect(outcome.output.contains("1 text has labels that contradict each other"), "\(outcome.output)")
  }

  @Test("texts that are one to the model alone are named too where their labels contradict each other")
  func unreadable() throws {
    let front = try Front()
    try front.write("id,text,label\na,🙂,X\nb,🙁,Y\nc,a b c,X\nd,d e f,Y\n", to: "faces.csv")
    let outcome = try front.lines(
      "load faces.csv", "interface define --from faces", "label file", "finetune --method linear")
    #expect(
      outcome.text.contains("1 text has labels that contradict each other: a, b \"🙂\" (X, Y)."),
      "\(outcome.output)\(outcome.error)")
    #expect(
      outcome.output.components(separatedBy: "contradict").count == 2, "label file compares texts as written")
  }

  @Test("validate leaves out what was trained on, in capitals and with other blanks too")
  func validateLeavesCopiesOut() throws {
    let front = try Front()
    try front.writeLetters()
    let rows = try front.read("letters.csv").split(separator: "\n").dropFirst().map { row in
      let fields = row.split(separator: ",", omittingEmptySubsequences: false)
      return "\(fields[0]),\(fields[1].uppercased().replacing(" ", with: "  ")),\(fields[2])"
    }
    try front.write("id,text,category\n" + rows.joined(separator: "\n") + "\n", to: "loud.csv")
    let outcome = try front.lines(
      "load letters.csv", "interface define --from letters", "label simulate", "finetune --method linear",
      "load loud.csv", "validate", options: ["--json"])
    #expect(try code(outcome) == "nothing-held-out", "\(outcome.output)")
  }

  @Test("an option out of its range is usage, by the name that was typed") func ranges() throws {
    let front = try Front()
    for (option, value) in [("--head-learning-rate", "5"), ("--epochs", "0"), ("--dropout", "nan")] {
      let outcome = try front.run("finetune", option, value)
      #expect(outcome.status == 2 && outcome.error.contains("\(option) cannot be "), "\(outcome.error)")
    }
  }

  @Test("four methods on few texts: what so many can show, and that the best two cannot be told apart")
  func fewTexts() throws {
    let front = try Front()
    try front.writeLetters()
    let outcome = try front.lines(
      "load letters.csv", "interface define --from letters", "label simulate",
      "finetune --method all --epochs 1")
    #expect(outcome.status == 0, "\(outcome.error)")
    let answer = unwrapped(outcome)
    #expect(answer.contains("4 different texts are too few to compare by"), "\(answer)")
    #expect(answer.contains("6 must be right by one method alone before chance is ruled out"), "\(answer)")
    #expect(answer.contains("cannot be told apart"), "\(answer)")
  }

  @Test("text in another script is said, and that the model reads English") func otherScripts() throws {
    let front = try Front()
    try front.write("text,label\nПаром стоит,X\na b c,Y\nd e f,X\n", to: "mixed.csv")
    let outcome = try front.lines(
      "load mixed.csv", "interface define --from mixed", "predict", "label simulate",
      "finetune --method linear", "tokens Паром стоит", "classify a b c")
    #expect(outcome.status == 0, "\(outcome.error)")
    let remark = "1 of 3 texts is mostly outside the model's vocabulary; the model reads English."
    #expect(outcome.output.components(separatedBy: remark).count == 3, "\(outcome.output)")
    #expect(outcome.output.contains("The text is mostly outside"))
    #expect(outcome.output.components(separatedBy: "mostly outside").count == 4)
  }

  @Test(
    "another base under old work: predictions are made anew; without the old base a tuned model names both, and the old base heals it"
  )
  func otherBase() throws {
    let front = try Front()
    try front.writeLetters()
    func install(_ name: String) throws {
      let outcome = try front.run("model", "install", "--from", Self.reference.appending(path: name).path)
      #expect(outcome.status == 0, "\(outcome.error)")
    }
    func confidences() throws -> [Double] {
      let outcome = try front.lines(
        "predict --model base", "show assets --limit 40", options: ["--json"])
      let assets = try object(outcome.lines.last ?? "")["assets"] as? [[String: Any]]
      return try #require(assets).compactMap { $0["confidence"] as? Double }
    }
    try front.lines(
      "load letters.csv", "interface define --from letters", "label simulate",
      "finetune --method linear --name head", "finetune --method adapter --epochs 1 --name small",
      "finetune --method full --epochs 1 --name whole")
    let before = try confidences()
    try install("odd-bert")
    #expect(try front.run("model", "use", "odd-bert").status == 0)
    // What the old base said is the old one's.
    let lines = [
      "kpi --model base", "kpi --by category --model base", "export predictions p.csv --model base --replace",
    ]
    for line in lines {
      let outcome = try front.lines(line)
      #expect(
        outcome.status == 1 && outcome.error.contains("base has not predicted all of letters yet"),
        "\(line): \(outcome.output)")
    }
    #expect(try confidences() != before)
    for line in lines {
      let outcome = try front.lines(line)
      #expect(outcome.status == 0 && !outcome.text.contains("another model now"), "\(line): \(outcome.error)")
    }
    // Where another model has taken the place of the one that predicted, under its name, it is said.
    var elsewhere = front
    elsewhere.environment["FETTLE_MODEL"] = Self.reference.appending(path: "tiny-bert").path
    let stale = "base is another model now than the one that predicted letters. Make its predictions anew:"
    for line in lines {
      let outcome = try elsewhere.lines(line)
      #expect(outcome.status == 0 && outcome.text.contains(stale), "\(line): \(outcome.output)")
    }
    // Each goes on with its own base, until that is gone.
    #expect(try front.run("classify", "--model", "head", "abc").status == 0)
    try FileManager.default.removeItem(at: front.folder.appending(path: ".cache/fettle/models/tiny-bert"))
    for line in [
      "predict --model head", "predict --model small", "classify --model head abc",
      "export model out --model head",
      "finetune --base head --method full", "load letters.csv --name again", "validate --model whole",
    ] {
      let outcome = try front.run(["--json", "-c", line])
      guard !line.hasPrefix("load") else { continue }
      #expect(try code(outcome) == "model-other-base", "\(line): \(outcome.output)")
      #expect(outcome.output.contains("tiny-bert (") && outcome.output.contains("odd-bert ("))
    }
    // What was trained in full is a model of its own.
    #expect(try front.run("predict", "--model", "whole").status == 0)
    try install("tiny-bert")
    #expect(try front.run("predict", "--model", "head", "--dataset", "letters").status == 0)
    #expect(try confidences().count == 40)
  }

  @Test("without labels it is said which there can be: of a file without categories none but people's")
  func noLabels() throws {
    let front = try Front(tiny: false)
    try front.write("text\nnews\nz y x\n", to: "bare.csv")
    try front.write("text,label\nnews,A\nz y x,\n", to: "half.csv")
    for (name, advised, not) in [
      ("bare", "label import FILE", "label file"), ("half", "label file", "label import"),
    ] {
      let outcome = try front.lines("load \(name).csv", "finetune", options: ["--json"])
      #expect(try code(outcome) == "no-labels" && outcome.output.contains(advised), "\(outcome.output)")
      #expect(!outcome.output.contains(not))
    }
  }

  @Test(
    "a model of an older fettle, which did not keep its base, serves on, and a base of another width is refused"
  )
  func unknownBase() throws {
    let front = try Front()
    try front.writeLetters()
    try front.lines(
      "load letters.csv", "interface define --from letters", "label simulate",
      "finetune --method linear --name new")
    do {
      let workspace = try Workspace.open(front.folder.appending(path: ".fettle"))
      try workspace.write { workbench throws in
        let new = try #require(try workbench.model(named: "new"))
        try workbench.insert(
          model: TunedModel(
            name: "old", base: new.base, baseDigest: nil, method: new.method, dataset: new.dataset,
            examples: new.examples, folder: "old", bytes: new.bytes, categories: new.categories),
          trainedOn: [])
      }
    }
    // Not before the row: a folder that none names is swept.
    let models = front.folder.appending(path: ".fettle/models")
    try FileManager.default.copyItem(at: models.appending(path: "new"), to: models.appending(path: "old"))
    let same = try front.lines("predict --model old", "predict --model new", "kpi --models old new")
    #expect(same.status == 0 && same.output.contains("old predicted letters: 40 assets."), "\(same.error)")
    try front.run("model", "install", "--from", Self.reference.appending(path: "odd-bert").path)
    #expect(try front.run("predict", "--model", "old").status == 0)
    try front.run("model", "use", "odd-bert")
    #expect(try front.run("predict", "--model", "new").status == 0)
    for line in ["predict --model old", "classify --model old abc", "validate --model old"] {
      let outcome = try front.run(["--json", "-c", line])
      #expect(try code(outcome) == "model-other-base", "\(line): \(outcome.output)\(outcome.error)")
      #expect(outcome.status == 1)
    }
  }

  @Test("a model whose files are gone is named, and the default is another") func lostHead() throws {
    let front = try Front()
    try front.writeLetters()
    try front.lines(
      "load letters.csv", "interface define --from letters", "label simulate",
      "finetune --method linear --name old", "finetune --method linear --name new")
    try FileManager.default.removeItem(
      at: front.folder.appending(path: ".fettle/models/new/head.safetensors"))
    let outcome = try front.run("predict")
    #expect(outcome.status == 0 && outcome.output.contains("old predicted letters"), "\(outcome.error)")
    #expect(outcome.output.contains("new is newer, but its files are not all there"))
    let named = try front.run("--json", "predict", "--model", "new")
    #expect(try code(named) == "model-incomplete" && named.output.contains("new is not whole"))
    #expect(try front.run("models", "remove", "new").status == 0)
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: front.folder.path + "/.fettle/models") == ["old"])
  }
}
