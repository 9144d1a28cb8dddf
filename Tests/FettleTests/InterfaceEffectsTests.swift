import Foundation
import Testing

/// What another interface does to predictions, labels, and to the question which model is asked.
@Suite struct InterfaceEffectsTests {
  /// letters.csv with labels, predictions of base and of tuned-1, which knows WORLD_AND_NEWS and SPORTS.
  private func trained() throws -> Front {
    let front = try Front()
    try front.writeLetters()
    let outcome = try front.lines(
      "load letters.csv", "interface define --from letters", "label simulate", "predict",
      "finetune --method linear", "predict")
    try #require(outcome.status == 0, "\(outcome.error)")
    return front
  }

  @Test("Only predictions that depend on the interface go, and the answer says which")
  func predictions() throws {
    let front = try trained()
    func accuracy() throws -> Double? {
      try object(try front.run("--json", "kpi", "--model", "tuned-1").lines[0])["accuracy"] as? Double
    }
    let before = try accuracy()
    let outcome = try front.lines(#"interface define "World & News, Arts""#)
    #expect(
      outcome.text.contains("The predictions of base on letters went with the old categories."),
      "\(outcome.output)")
    #expect(try front.run("status").output.contains("of letters: by tuned-1"))
    // tuned-1 predicts SPORTS, which this interface lacks.
    for line in [
      "kpi --model tuned-1", "kpi --confusion", "kpi --by category", "show assets --where disagree",
    ] {
      let outcome = try front.lines(line)
      #expect(outcome.status == 0, "\(line): \(outcome.error)")
    }
    #expect(try before != nil && accuracy() == before)
    let again = try object(
      try front.run("--json", "interface", "define", "World & News, Arts, Music").lines[0])
    #expect((again["predictions_removed"] as? [Any])?.isEmpty == true)
    #expect(try front.run("replay", ".fettle/session.md").status == 0)
  }

  @Test("Hand labels that the new interface does not cover are named, and finetune says how to cover them")
  func labels() throws {
    let front = try Front()
    try front.write(
      "id,text\na,fog on the pass\nb,cup final\nc,sun and wind\nd,keeper saves\n", to: "own.csv")
    let outcome = try front.lines(
      "load own.csv", #"interface define "Weather, Sport & Games""#, "label set a Weather",
      "label set b 'Sport & Games'",
      "label set c Weather", #"interface define "Weather, Travel""#)
    #expect(outcome.status == 0, "\(outcome.error)")
    #expect(
      outcome.text.contains("lacks categories that people labelled with: SPORT_AND_GAMES (1 label)."),
      "\(outcome.output)")
    let json = try object(try front.run("--json", "interface", "define", "Weather, Travel").lines[0])
    #expect((json["labels_not_covered"] as? [String: Int]) == ["SPORT_AND_GAMES": 1])
    let refused = try front.run("finetune", "--method", "linear")
    #expect(refused.status == 1)
    let mend = try #require(
      refused.error.replacing("\n", with: " ").firstMatch(of: #/Mend it: (interface define "[^"]*")/#)?.1)
    #expect(try front.lines(String(mend)).status == 0, "\(mend)")
    #expect(try front.run("finetune", "--method", "linear").status == 0)
  }

  @Test("predict, classify and validate take the newest model that knows the interface's categories")
  func standard() throws {
    let front = try trained()
    try front.write(
      "id,text,category\n"
        + (0..<12).map {
          "\($0),\($0 % 2 == 0 ? "a b c" : "news of x") \($0),\($0 % 2 == 0 ? "Arts" : "Music")\n"
        }.joined(),
      to: "other.csv")
    let other = try front.lines(
      "load other.csv", #"interface define "Arts, Music""#, "classify news of x", "label simulate",
      "finetune --method linear --name arts", "classify news of x")
    #expect(other.status == 0, "\(other.error)")
    #expect(other.output.contains("(by base)") && other.output.contains("(by arts)"))
    #expect(
      other.text.contains("tuned-1 is newer, but has not learned Arts, Music: --model tuned-1 asks it."),
      "\(other.output)")
    // Back to the first interface: the older model is the one that knows it.
    let back = try front.lines(
      "interface define --from letters", "classify news of the aa", "predict --dataset letters")
    #expect(
      back.output.contains("(by tuned-1)") && back.output.contains("tuned-1 predicted letters"),
      "\(back.output)")
    #expect(back.text.contains("arts is newer, but has not learned"))
    let named = try front.lines("classify --model arts news of x")
    #expect(named.output.contains("(by arts)") && !named.output.contains("is newer"))
    // Where none knows them, validate and export model say which one could be named.
    let none = try front.lines(#"interface define "Food, Travel""#, "validate")
    #expect(none.status == 1 && none.error.contains("--model arts"), "\(none.error)")
    #expect(try front.lines("export model out").error.contains("No tuned model has learned all categories"))
    #expect(try front.run("replay", ".fettle/session.md").status == 0)
  }

  @Test("What could not be classified is missed for its category and is none of its own")
  func abstention() throws {
    let front = try Front()
    try front.writeLetters()
    // Nothing of a zero-width blank is left for the model to read.
    try front.write(
      try front.read("letters.csv")
        + (0..<8).map { "e\($0),\u{200B}\($0 % 2 == 0 ? "" : "\u{200B}"),SPORTS\n" }.joined(),
      to: "letters.csv")
    let outcome = try front.lines(
      "load letters.csv", "interface define --from letters", "label simulate", "predict", "kpi --by category")
    #expect(outcome.status == 0, "\(outcome.error)")
    let row = try #require(outcome.lines.first { $0.contains("UNABLE TO CLASSIFY") && $0.hasSuffix("-") })
    #expect(row.contains(#/0 +~8 +- +- +-/#), "\(row)")
    let assets = try object(try front.run("--json", "show", "assets", "--limit", "99").lines[0])["assets"]
    let pairs = try #require(assets as? [[String: Any]]).map {
      (truth: $0["file"] as? String ?? "", predicted: $0["prediction"] as? String ?? "")
    }
    let f1 = ["SPORTS", "WORLD_AND_NEWS"].map { category in
      let right = pairs.count { $0.truth == category && $0.predicted == category }
      let all = pairs.count { $0.truth == category } + pairs.count { $0.predicted == category }
      return 2 * Double(right) / Double(all)
    }
    let kpi = try object(try front.run("--json", "kpi", "--by", "category").lines[0])
    #expect(abs((kpi["macro_f1"] as? Double ?? 0) - f1.reduce(0, +) / 2) < 1e-12)
    let unable = (kpi["categories"] as? [String: [String: Any]])?["UNABLE_TO_CLASSIFY"]
    #expect(unable?["recall"] is NSNull && unable?["f1"] is NSNull && unable?["predicted"] as? Int == 8)
  }
}
