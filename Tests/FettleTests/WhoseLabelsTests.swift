import Foundation
import Testing

/// Whose label counts where an asset has several, and that everybody is told.
@Suite struct WhoseLabelsTests {
  /// Six texts that the file has categories for, of which one is wrong: fog is no sport.
  private func front(tiny: Bool = false) throws -> Front {
    let front = try Front(tiny: tiny)
    try front.write(
      """
      id,text,category
      a,fog on the pass all day,Sport
      b,sun and a light wind,Weather
      c,cup final at nine,Sport
      d,keeper saves the day,Sport
      e,hail ends the harvest,Weather
      f,rowers win by a length,Sport

      """, to: "valley.csv")
    let outcome = try front.lines("load valley.csv", #"interface define "Sport, Weather""#)
    try #require(outcome.status == 0, "\(outcome.error)")
    return front
  }

  private func trained(_ front: Front, _ file: String = "t.jsonl") throws -> [String] {
    let outcome = try front.run("export", "finetune", file, "--legacy", "--replace")
    try #require(outcome.status == 0, "\(outcome.error)")
    return try front.read(file).split(separator: "\n").map {
      (try object(String($0))["completion"] as? String ?? "").replacing("[END]", with: "")
        .trimmingCharacters(in: .whitespaces)
    }
  }

  @Test("A label that a person mends is what is trained and measured on, before and after the simulation")
  func mended() throws {
    let mended = ["WEATHER", "WEATHER", "SPORT", "SPORT", "WEATHER", "SPORT"]
    for simulation in ["label simulate", "label file"] {
      for lines in [[simulation, "label set a Weather"], ["label set a Weather", simulation]] {
        let front = try front()
        let outcome = try front.run(lines.flatMap { ["-c", $0] })
        #expect(outcome.status == 0, "\(outcome.error)")
        let says =
          lines[0] == simulation
          ? "It counts before Sport (\(simulation == "label file" ? "file" : "simulated"))."
          : "On 1 of them the labels of me count before these."
        #expect(outcome.lines.contains(says), "\(outcome.output)")
        #expect(try trained(front) == mended)
        #expect(try front.run("replay", ".fettle/session.md").status == 0)
      }
    }
  }

  @Test("kpi and export finetune name whose labels count, each with how many assets")
  func named() throws {
    let front = try front(tiny: true)
    try front.lines("label simulate", "label set a Weather", "predict")
    let phrase = "the labels of me for 1 asset, the labels of simulated for 5"
    #expect(try front.lines("kpi").text.contains("6 assets, truth from \(phrase)"))
    #expect(
      try front.run("export", "finetune", "t.jsonl").text.contains("6 examples of valley, with \(phrase), to")
    )
    try front.lines("label file")
    #expect(
      try front.lines("kpi").text.contains(
        "truth from the labels of me for 1 asset, the file's own categories for 5"))
    // IoU asks those who count: with the outranked ones among them nothing would reach one half.
    let kpi = try object(try front.run("--json", "kpi").output)
    #expect(kpi["score"] as? Double == kpi["accuracy"] as? Double)
    #expect(try front.run("replay", ".fettle/session.md").status == 0)
  }

  @Test(
    "Between people the majority counts, of as many for each the earliest; a label that does not count says so"
  )
  func people() throws {
    let front = try front()
    try front.write("id,category\na,Sport\n", to: "bo.csv")
    try front.lines("label import bo.csv")
    let tie = try front.run("label", "set", "a", "Weather")
    #expect(
      tie.lines.last == "Sport still counts: as many chose each, and bo labelled first.", "\(tie.output)")
    #expect(try trained(front) == ["SPORT"])
    let third = try front.run("label", "set", "a", "Weather", "--author", "ana")
    #expect(third.lines.last == "Weather counts: 2 of 3 readers chose it.")
    #expect(try trained(front) == ["WEATHER"])
    let back = try front.run("--json", "label", "remove", "a", "--author", "ana")
    #expect(try object(back.lines[0])["counts"] as? String == "SPORT")
    // An imported label is a person's: it counts before the simulation, and taken in again it changes.
    try front.lines("label simulate")
    try front.write("id,category\na,Weather\nb,Sport\n", to: "bo.csv")
    let again = try front.run("label", "import", "bo.csv")
    #expect(again.lines.last == "They count before the labels of simulated.", "\(again.output)")
    #expect(try trained(front).prefix(2) == ["WEATHER", "SPORT"])
  }

  @Test("A simulated reader takes no label away that a person of that name gave")
  func sameName() throws {
    let front = try front()
    let outcome = try front.lines("label set a Weather --author ana", "label simulate --author ana")
    #expect(
      outcome.lines.suffix(2) == [
        "ana labelled 5 assets of valley.", "1 label that ana gave by hand stays.",
      ],
      "\(outcome.output)")
    #expect(try trained(front)[0] == "WEATHER")
  }

  @Test("Nobody is called file, whatever gives the label")
  func nobodyIsFile() throws {
    let front = try front()
    try front.write("id,category,author\na,Sport,File\n", to: "other.csv")
    for line in [
      "label set a Sport --author file", "label remove a --author file", "label simulate --author file",
      "label simulate --author ' File'", "label import valley.csv --author FILE", "label import other.csv",
      "label --author file",
    ] {
      let outcome = try front.lines(line)
      #expect(outcome.status == 2, "\(line)")
      #expect(outcome.error.contains("stands for the file's own categories"), "\(line): \(outcome.error)")
    }
  }

  @Test("Of a half-labelled file label file takes what there is, and the rest waits for predict")
  func halfLabelled() throws {
    let front = try Front(tiny: false)
    try front.write(
      """
      id,text,category
      a,fog on the pass,Weather
      b,sun and wind,
      c,cup final,Sport
      d,keeper saves,

      """, to: "half.csv")
    let loaded = try front.lines("load half.csv", "interface define --from half")
    try #require(loaded.status == 0, "\(loaded.error)")
    let status = try front.run("status")
    #expect(status.output.contains("labels        of half: none"), "load gives no labels")
    let outcome = try front.run("label", "file")
    #expect(
      outcome.output
        == "The file labelled 2 assets of half; 2 have no category and wait for predict.\n",
      "\(outcome.error)")
    #expect(try front.run("label", "file").output == outcome.output, "again it is the same")
    let json = try object(try front.run("--json", "label", "file").output)
    #expect(json["labels"] as? Int == 2 && json["unlabelled"] as? Int == 2)
    #expect(json["author"] as? String == "file" && json["dataset"] as? String == "half")
    #expect(try trained(front) == ["WEATHER", "SPORT"])
    // The file's own categories remain a truth to hold readers against.
    try front.lines("label set a Sport --author ana")
    let readers = try object(try front.run("--json", "kpi", "--honeypot", "file").output)["readers"]
    #expect((readers as? [String: Any])?.keys.sorted() == ["ana"])
    #expect(try front.run("replay", ".fettle/session.md").status == 0)
  }

  @Test("Texts whose labels contradict each other are named, whatever their case and blanks")
  func contradictions() throws {
    let front = try Front(tiny: false)
    try front.write(
      """
      id,text,category
      a,Fog closes the bridge,Weather
      b,fog  closes the BRIDGE,Travel
      c,Cup final tonight,Sport
      d,Cup final tonight,Sport

      """, to: "twice.csv")
    try front.lines("load twice.csv", "interface define --from twice")
    for verb in ["simulate", "file"] {
      let outcome = try front.run("label", verb)
      #expect(
        outcome.text.contains(
          #"1 text has labels that contradict each other: a, b "Fog closes the bridge" (Weather, Travel)."#),
        "\(outcome.output)")
    }
    #expect(try object(try front.run("--json", "label", "file").output)["contradictory"] as? Int == 1)
    try front.lines("label set b Weather")
    #expect(
      !(try front.run("label", "file").output.contains("contradict")), "what a person mended is no longer one"
    )
  }
}
