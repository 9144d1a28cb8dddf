import Foundation
import Testing

/// Spreadsheets and exports as people have them, each with what `load` answers.
@Suite struct OwnDataTests {
  private func loaded(_ front: Front, _ arguments: String...) throws -> [String: Any] {
    let outcome = try front.run(["--json", "load"] + arguments)
    try #require(outcome.status == 0, "\(outcome.output)\(outcome.error)")
    return try object(outcome.lines[0])
  }

  private func columns(_ answer: [String: Any]) -> (text: [String], category: String?) {
    let columns = answer["columns"] as? [String: Any]
    return (columns?["text"] as? [String] ?? [], columns?["category"] as? String)
  }

  // MARK: Half-labelled

  @Test("A half-labelled file loads as it is; the rows without a category are counted and wait")
  func halfLabelled() throws {
    let front = try Front()
    try front.write(
      "id,text,category\na,news of the harbour,NEWS\nb,z y x,\nc,x y z,SPORT\nd,news of the rain,\ne,z z x,SPORT\n",
      to: "half.csv")
    let answer = try loaded(front, "half.csv")
    #expect(answer["assets"] as? Int == 5 && answer["unlabelled"] as? Int == 2)
    #expect(answer["per_category"] as? [String: Int] == ["NEWS": 1, "SPORT": 2])
    let again = try front.lines("load half.csv").output.replacing(#/\s+/#, with: " ")
    #expect(
      again.hasPrefix("Loaded half: 5 assets, 2 categories of 1 to 2, 2 unlabelled (sha256 "), "\(again)")
    #expect(!again.contains("Text from"), "there was no choice")
    let simulated = try front.lines("interface define --from half", "label simulate", "predict", "kpi")
    #expect(simulated.output.contains("simulated labelled 3 assets of half."), "\(simulated.error)")
    #expect(try loaded(front, "half.csv", "--per-category", "1", "--name", "few")["assets"] as? Int == 2)
    #expect(
      try front.lines("load half.csv --per-category 1 --name few").output.contains(
        "--per-category leaves out 2 rows without a category."))
    #expect(try loaded(front, "half.csv", "--only", "sport", "--name", "sport")["left_out"] as? Int == 3)
  }

  // MARK: Two text columns

  @Test("A title and its content are read as one text, and several --text are joined in their order")
  func severalTexts() throws {
    let front = try Front(tiny: false)
    try front.write(
      "Title,Content,Section\nTide clock stops,The mayor blames eels.,Town\nWho sang?,Nobody knows,Arts\n",
      to: "t.csv")
    let answer = try loaded(front, "t.csv", "--category", "section")
    #expect(columns(answer) == (["Title", "Content"], "Section"))
    let shown = try front.lines("show assets")
    #expect(shown.output.contains("Tide clock stops. The mayor blames eels."), "\(shown.output)")
    let reversed = try front.lines(
      "load t.csv --text Content --text 1 --category Sect --name reversed", "show assets")
    #expect(
      reversed.output.contains("Text from Content and Title, category from Section."), "\(reversed.output)")
    #expect(reversed.output.contains("Nobody knows. Who sang?"))
    try front.write("title,text,label,topic\nA,Swans return,x,y\nB,Swans leave,y,x\n", to: "two.csv")
    let two = try front.lines("load two.csv").output.replacing(#/\s+/#, with: " ")
    #expect(two.contains("Text from text, category from label; left out: title, topic."), "\(two)")
    #expect(two.contains("--text title --text text") && two.contains("--category topic"), "\(two)")
  }

  @Test(
    "A table whose rows end in a delimiter, and one of sentences alone, leave with their predictions as they came"
  )
  func exportedAgain() throws {
    let front = try Front()
    try front.write("text,label\nnews of the quay,A,\nz y x,B,\n", to: "surplus.csv")
    try front.write("text\nnews, of the quay\nz y x\n", to: "one.csv")
    for (name, columns) in [("surplus", "id,text,label,prediction"), ("one", "id,text,prediction")] {
      let outcome = try front.lines(
        "load \(name).csv", "interface define \"A, B\"", "predict --model base",
        "export predictions \(name)-out.csv")
      #expect(outcome.status == 0, "\(outcome.error)")
      let written = try front.read("\(name)-out.csv")
      #expect(written.hasPrefix(columns), "\(written)")
    }
  }

  @Test(
    "A column that is category cannot be text too, and of a long header a mistyped beginning is understood")
  func impossibleColumns() throws {
    let front = try Front(tiny: false)
    try front.write(
      "When,\"What did you like best about the ferry, and why?\",Line\n1,The tea,North\n2,The views,South\n",
      to: "form.csv")
    for line in ["--text What --category What", "--text What --text line --category 3"] {
      let both = try front.lines("load form.csv \(line)")
      let said = both.error.replacing(#/\s+/#, with: " ")
      #expect(both.status == 2 && said.contains("cannot be text and category at once"), "\(both.error)")
    }
    let mistyped = try front.lines("load form.csv --text Waht --category Line").error
    #expect(
      mistyped.replacing(#/\s+/#, with: " ").contains(
        "Did you mean --text \"What did you like best about the ferry, and why?\"?"), "\(mistyped)")
    // Twice the same column is once.
    let twice = try loaded(front, "form.csv", "--text", "2", "--text", "What", "--category", "Line")
    #expect(columns(twice).text == ["What did you like best about the ferry, and why?"])
  }

  @Test("Excel's line sep=; is no row, quoted or not, behind a byte order mark or not")
  func declaredDelimiter() throws {
    let front = try Front(tiny: false)
    for (name, line) in [("plain", "sep=;"), ("quoted", "\"sep=;\""), ("marked", "\u{FEFF}\"SEP=;\"")] {
      try front.write("\(line)\r\ntext;label\r\nTea, and milk;Food\r\nRain;Sky\r\n", to: "\(name).csv")
      let answer = try loaded(front, "\(name).csv")
      #expect(answer["per_category"] as? [String: Int] == ["Food": 1, "Sky": 1], "\(answer)")
      #expect(try front.lines("show assets").output.contains("Tea, and milk"))
    }
  }

  @Test("Blanks between quotes and delimiters are no part of a field; quotes within one are marks of speech")
  func blanksAroundQuotes() throws {
    let front = try Front(tiny: false)
    let rows = [
      #""id" , "text", "label""#, #"1, "Tea, and ""milk""" , "Food""#, #"2, "Yes" said she,Talk"#,
      #"3,"Rain" , "Sky" "#, #"4, "No",Talk"#,
    ]
    for end in ["\n", "\r\n"] {
      try front.write(rows.joined(separator: end), to: "blanks.csv")
      let answer = try loaded(front, "blanks.csv", "--replace")
      #expect(answer["per_category"] as? [String: Int] == ["Food": 1, "Talk": 2, "Sky": 1], "\(answer)")
      let shown = try object(front.lines("show assets", options: ["--json"]).lines[0])["assets"]
      let texts = (shown as? [[String: Any]] ?? []).compactMap { $0["text"] as? String }
      #expect(texts == [#"Tea, and "milk""#, #" "Yes" said she"#, "Rain", "No"], "\(texts)")
    }
    try front.write("text,label\n\"Tea\" x,A\n", to: "stray.csv")
    #expect(try front.lines("load stray.csv").error.contains("stray.csv:2:6"))
  }

  // MARK: Repeated and contradictory

  private static let repeats = """
    id,text,category
    a,The ferry is late again,NEWS
    b,the FERRY is  late again,NEWS
    c,Cup final moved to Sunday,SPORT
    d,"The ferry is late
    again",SPORT
    e,THE FERRY IS LATE AGAIN,
    f,Quiet day at the port,NEWS

    """

  @Test(
    "Repeated texts are counted, case and blanks aside, and contradicting categories named with their places")
  func repeated() throws {
    let front = try Front(tiny: false)
    try front.write(Self.repeats, to: "r.csv")
    for _ in 0..<2 {  // the second time it is there already
      let answer = try loaded(front, "r.csv")
      #expect(answer["repeated"] as? Int == 3 && answer["contradictory"] as? Int == 1, "\(answer)")
    }
    let said = try front.lines("load r.csv").lines
    #expect(said.contains("1 text goes over 2 lines."), "\(said)")
    #expect(said.contains("3 rows repeat the text of an earlier one."))
    #expect(said.contains("1 text has contradicting categories:"))
    #expect(said.contains("  \"The ferry is late again\": NEWS in line 2 (a), SPORT in line 5 (d)"))
    // Of a sample what was kept counts.
    let kept = try loaded(front, "r.csv", "--only", "news", "--name", "news")
    #expect(kept["repeated"] as? Int == 1 && kept["contradictory"] as? Int == 0)
    try front.write("text,label\nÉtang gelé,A\nÉTANG GELÉ,A\n", to: "accents.csv")
    #expect(try loaded(front, "accents.csv")["repeated"] as? Int == 1)
  }

  @Test("Who labels a file in which texts repeat is told how many do, and which contradict each other")
  func repeatedLabels() throws {
    let front = try Front(tiny: false)
    try front.write(Self.repeats, to: "r.csv")
    try front.lines("load r.csv", "interface define --from r")
    for line in ["label file", "label simulate --author reader"] {
      let outcome = try front.lines(line)
      let said = outcome.text.split(separator: "\n").map(String.init)
      #expect(said.contains("2 assets repeat the text of an earlier one."), "\(outcome.output)")
      #expect(said.contains { $0.hasPrefix("1 text has labels that contradict each other: a, b, d ") })
      let answer = try object(front.lines(line, options: ["--json"]).lines[0])
      #expect(answer["repeated"] as? Int == 2 && answer["contradictory"] as? Int == 1, "\(answer)")
    }
  }

  // MARK: Which categories

  private static let archive: [(category: String, count: Int)] = [
    ("ARTS & CULTURE", 30), ("CULTURE & ARTS", 20), ("ARTS", 10), ("SPORTS", 40), ("WEIRD NEWS", 25),
    ("MONEY", 15),
  ]

  private func writeArchive(_ front: Front) throws {
    var number = 0
    let lines = Self.archive.flatMap { category, count in
      (0..<count).map { _ -> String in
        number += 1
        return
          "{\"link\": \"https://news.example/\(number)\", \"headline\": \"Headline \(number)\", "
          + "\"category\": \"\(category)\", \"short_description\": \"It says so.\", \"authors\": \"\", \"date\": \"2026-05-04\"}"
      }
    }
    try front.write(lines.joined(separator: "\n") + "\n", to: "archive.json")
  }

  @Test("--map gives several categories one name and leaves others out, and a sample chooses among the rest")
  func map() throws {
    let front = try Front(tiny: false)
    try writeArchive(front)
    try front.write(
      "old name;new name\narts & culture;Culture\nCulture & Arts;Culture\nARTS;Culture\nWeird News;\nSPROTS;Sport\n",
      to: "map.csv")
    let answer = try loaded(
      front, "archive.json", "--text", "headline", "--text", "short_description", "--map", "map.csv",
      "--per-category", "12", "--name", "the-evening-paper-and-its-whole-archive")
    #expect(answer["per_category"] as? [String: Int] == ["Culture": 12, "SPORTS": 12, "MONEY": 12])
    #expect(answer["left_out"] as? Int == 25)
    #expect(columns(answer) == (["headline", "short_description"], "category"))
    let remarks = (answer["remarks"] as? [String] ?? []).joined(separator: "\n")
    #expect(remarks.contains("which leaves out 25 rows."))
    #expect(remarks.contains("map.csv names what no row has: SPROTS (nearest: SPORTS)."))
    #expect(remarks.contains("map.csv does not name MONEY, SPORTS, which stay as they are."))
    #expect(try front.run("replay", ".fettle/session.md").output.contains("1 passed"))
    // The map belongs to what a data set is made of: a replay notices it, and loading again asks.
    try front.write("ARTS,Culture\n", to: "map.csv")
    let replayed = try front.run("replay", ".fettle/session.md")
    #expect(replayed.output.contains("map.csv is not the file that line"), "\(replayed.output)")
    let changed = try front.lines(
      "load archive.json --text headline --text short_description --map map.csv --per-category 12 "
        + "--name the-evening-paper-and-its-whole-archive")
    #expect(changed.status == 1 && changed.error.contains("--replace"), "\(changed.error)")
  }

  @Test("--only keeps the categories that it names; a mistyped one gets the nearest and nothing is kept")
  func only() throws {
    let front = try Front(tiny: false)
    try writeArchive(front)
    let answer = try loaded(front, "archive.json", "--only", "sports, Weird News", "--sample", "20")
    #expect(answer["assets"] as? Int == 20 && answer["left_out"] as? Int == 75)
    #expect(Set((answer["per_category"] as? [String: Int] ?? [:]).keys) == ["SPORTS", "WEIRD NEWS"])
    let mistyped = try front.lines("load archive.json --only SPORT,ARTS --name two")
    #expect(mistyped.status == 1 && mistyped.error.contains("Did you mean SPORTS?"), "\(mistyped.error)")
    #expect(!(try front.lines("datasets").output.contains("two")))
    let mapped = try front.lines("load archive.json --only Sport --map m.csv --name m")
    #expect(mapped.status == 1 && mapped.error.contains("m.csv is not there"), "\(mapped.error)")
    try front.write("SPORTS\tSport\nMONEY\tSport\n", to: "m.csv")
    #expect(
      try loaded(front, "archive.json", "--only", "Sport", "--map", "m.csv", "--name", "m")["assets"] as? Int
        == 55)
    try front.write("SPORTS,Sport\nsports,Games\n", to: "m.csv")
    let doubled = try front.lines("load archive.json --map m.csv --name n")
    #expect(doubled.status == 1 && doubled.error.contains("m.csv:2:1"), "\(doubled.error)")
    try front.write("SPORTS,Sport,x\n", to: "m.csv")
    let wide = try front.lines("load archive.json --map m.csv --name n").error.replacing(#/\s+/#, with: " ")
    #expect(
      wide.contains("expected an old name and a new one with a comma between, found 3 fields"), "\(wide)")
    try front.write("text\nOne\nTwo\n", to: "bare.csv")
    #expect(try front.lines("load bare.csv --only A").error.contains("has no categories"))
  }

  // MARK: JSON

  @Test("What export finetune writes loads again, in either of its forms")
  func exported() throws {
    let front = try Front()
    try front.writeLetters(count: 6)
    try front.lines(
      "load letters.csv", "interface define --from letters", "label simulate", "export finetune chat.jsonl",
      "export finetune old.jsonl --legacy")
    for file in ["chat.jsonl", "old.jsonl"] {
      let answer = try loaded(front, file)
      #expect(answer["per_category"] as? [String: Int] == ["SPORTS": 3, "WORLD_AND_NEWS": 3], "\(answer)")
    }
    let chat = try front.lines("load chat.jsonl", "show assets")
    #expect(
      chat.output.contains("Text from the last user message, category from the last assistant message."),
      "\(chat.output)")
    #expect(chat.output.contains("news of the a"))
    #expect(try front.lines("load old.jsonl", "show assets").output.contains("news of the aa"))
  }

  @Test(
    "A category in a list, as labelling tools write it, is that category; several are refused with their place"
  )
  func listedCategories() throws {
    let front = try Front(tiny: false)
    let rows = [
      #"{"id": 1, "text": "Ferry late", "label": ["Delay"]}"#, #"{"id": 2, "text": "Tea", "label": []}"#,
    ]
    try front.write(rows.joined(separator: "\n") + "\n", to: "tool.jsonl")
    let answer = try loaded(front, "tool.jsonl")
    #expect(answer["per_category"] as? [String: Int] == ["Delay": 1] && answer["unlabelled"] as? Int == 1)
    try front.write(rows[0].replacing("]", with: #", "Weather"]"#) + "\n", to: "both.jsonl")
    let both = try front.lines("load both.jsonl").error.replacing(#/\s+/#, with: " ")
    #expect(both.contains("both.jsonl, line 1, column 42: expected one category, found 2."), "\(both)")
  }

  @Test("A JSON file that is not lines gets the command that makes lines of it; unknown keys are named")
  func json() throws {
    let front = try Front(tiny: false)
    try front.write("[\n  {\"text\": \"Ferry late\"}\n]\n", to: "my list.json")
    let list = try front.lines("load \"my list.json\"").error.replacing(#/\s+/#, with: " ")
    #expect(list.contains("jq -c '.[]' 'my list.json' > lines.jsonl"), "\(list)")
    try front.write("{\n  \"text\": \"Ferry late\"\n}\n", to: "one.json")
    #expect(
      try front.lines("load one.json").error.replacing(#/\s+/#, with: " ").contains(
        "jq -c . one.json > lines.jsonl"))
    // A table by columns, which is how pandas writes it, or rows under their names.
    let columns = #"{"text": {"0": "Ferry late", "1": "Tea"}, "label": {"0": "A", "1": "B"}}"#
    let split = #"{"columns": ["text", "label"], "index": [0], "data": [["Ferry late", "A"]]}"#
    for (name, text) in [
      ("columns", columns), ("indented", columns.replacing(", ", with: ",\n  ")), ("split", split),
    ] {
      try front.write(text + "\n", to: "\(name).json")
      let said = try front.lines("load \(name).json").error.replacing(#/\s+/#, with: " ")
      #expect(said.contains(#"to_json("lines.jsonl", orient="records", lines=True)"#), "\(name): \(said)")
    }
    let rows = #"{"a": {"text": "Ferry late", "label": "A"}, "b": {"text": "Tea", "label": "B"}}"#
    for (name, text) in [("rows", rows), ("spread", rows.replacing(", ", with: ",\n"))] {
      try front.write(text, to: "\(name).json")
      let said = try front.lines("load \(name).json").error.replacing(#/\s+/#, with: " ")
      #expect(said.contains("jq -c '.[]' \(name).json > lines.jsonl"), "\(name): \(said)")
    }
    try front.write("{\"frage\": \"Ferry late\", \"antwort\": \"no\"}\n", to: "keys.jsonl")
    #expect(try front.lines("load keys.jsonl").error.contains("frage, antwort"))
  }

  // MARK: Files that are not there

  @Test("A mistyped file gets the nearest, a path with blanks its quotes, and ~ is spoken of as typed")
  func mistypedFiles() throws {
    let front = try Front(tiny: false)
    try front.writeLetters(count: 4)
    try front.writeLetters(count: 4, to: "sub/my letters.csv")
    for (line, meant) in [
      ("load leters.csv", "Did you mean letters.csv?"), ("load letters.txt", "Did you mean letters.csv?"),
      ("load sub/my-letters.csv", "Did you mean sub/my letters.csv?"),
      ("interface load lettres.csv", "Did you mean letters.csv?"),
      ("replay leters.csv", "Did you mean letters.csv?"),
      ("load sub/my letters.csv", "put its name in quotes: \"sub/my letters.csv\""),
      ("load ~/nowhere/x.csv", "~/nowhere/x.csv is not there"),
      ("load ~/leters.csv", "~/leters.csv is not there. Did you mean ~/letters.csv?"),
      ("load ~/sub/my-letters.csv", "Did you mean ~/sub/my letters.csv?"),
      ("load ~/nowhere/x.csv", "is not there. Check the path. "),
      ("load nowhere/x.csv", "Check the path; it is relative to the folder you started fettle in."),
    ] {
      let outcome = try front.run("-c", line)
      #expect(outcome.status != 0)
      #expect(
        outcome.error.replacing(#/\s+/#, with: " ").contains(meant), "\(line): \(outcome.error)")
    }
    // The document has what a replay answers too.
    #expect(try front.run("replay", ".fettle/session.md").output.contains(" 0 failed"))
  }
}
