import Foundation
import Testing

/// `export predictions`: what the classifier says, beside the columns that the file came with.
@Suite struct ExportPredictionsTests {
  private func predicted(_ file: String, options: String = "") throws -> Front {
    let front = try Front()
    try front.write(file, to: "desk.csv")
    let outcome = try front.lines("load desk.csv \(options)", #"interface define "World, Sports""#, "predict")
    try #require(outcome.status == 0, "\(outcome.error)")
    return front
  }

  private static let desk = """
    id,"note, by the desk",text,category,model
    7,"said ""no""\u{20}",news of the aa,World,x1
    8,,z y x aa,Sports,"two
    lines"
    9,ends,news of the ab,World,x3

    """

  @Test("CSV: the file's own columns in its order, quoted by RFC 4180, then prediction, confidence, model")
  func table() throws {
    let front = try predicted(Self.desk)
    let outcome = try front.run("--json", "export", "predictions", "out.csv")
    #expect(outcome.status == 0, "\(outcome.error)")
    let json = try object(outcome.lines[0])
    #expect(json["file"] as? String == "out.csv" && json["rows"] as? Int == 3)
    let lines = try front.read("out.csv").split(separator: "\n", omittingEmptySubsequences: false).map(
      String.init)
    #expect(lines[0] == #"id,"note, by the desk",text,category,file_model,prediction,confidence,model"#)
    #expect(lines[1].hasPrefix(#"7,"said ""no"" ",news of the aa,World,x1,"#) && lines[1].hasSuffix(",base"))
    #expect(lines[2] == #"8,,z y x aa,Sports,"two"# && lines[3].hasPrefix(#"lines","#))
    #expect(lines[4].hasPrefix("9,ends,news of the ab,World,x3,") && lines.count == 6 && lines[5].isEmpty)
    let assets = try object(try front.run("--json", "show", "assets").lines[0])["assets"] as? [[String: Any]]
    let choices = try #require(assets).map { $0["prediction"] as? String ?? "" }
    #expect(lines[1].split(separator: ",").suffix(3).first.map(String.init) == choices[0])
    #expect(try front.run("replay", ".fettle/session.md").status == 0)
  }

  @Test("JSON lines keep the types that the file has; what is missing is null")
  func objects() throws {
    let front = try Front()
    try front.write(
      """
      {"text": "news of the aa", "stars": 4.50, "tags": ["a", {"b": null}], "id": "q1"}
      {"id": "q2", "text": "z y x \\"aa\\"", "seen": true}

      """, to: "desk.jsonl")
    let outcome = try front.lines(
      "load desk.jsonl --category none", #"interface define "World, Sports""#, "predict",
      "export predictions out.jsonl", "export predictions out.csv")
    #expect(outcome.status == 0, "\(outcome.error)")
    let lines = try front.read("out.jsonl").split(separator: "\n").map(String.init)
    #expect(
      lines[0].hasPrefix(
        #"{"id":"q1","text":"news of the aa","stars":4.50,"tags":["a", {"b": null}],"seen":null,"prediction":""#
      ),
      "\(lines[0])")
    let second = try object(lines[1])
    #expect(second["text"] as? String == #"z y x "aa""# && second["seen"] as? Bool == true)
    #expect(
      second["stars"] is NSNull && second["confidence"] is Double && second["model"] as? String == "base")
    #expect(try front.read("out.csv").contains(#"q1,news of the aa,4.50,"[""a"", {""b"": null}]",,"#))
  }

  @Test("Rows that a sample left out stay out, and ids that were counted are written")
  func sampled() throws {
    let front = try predicted(
      "category;text\nWorld;news of the aa\nSports;z y x, aa\nWorld;news of the ab\nSports;z y x ab\n",
      options: "--sample 2")
    #expect(try front.lines("export predictions out.csv").status == 0)
    let lines = try front.read("out.csv").split(separator: "\n").map(String.init)
    #expect(lines.count == 3 && lines[0] == "id,category,text,prediction,confidence,model")
    #expect(lines[1...].allSatisfy { $0.hasPrefix("text_") })
  }

  @Test("A file that changed since lends no columns: its texts are written, and the answer says so")
  func changed() throws {
    let front = try predicted(Self.desk)
    try front.write("id,text\n1,other\n", to: "desk.csv")
    let outcome = try front.lines("export predictions out.csv")
    #expect(outcome.status == 0)
    #expect(outcome.output.contains("gone or has changed since it was loaded"), "\(outcome.output)")
    let lines = try front.read("out.csv").split(separator: "\n").map(String.init)
    #expect(lines[0] == "id,text,category,prediction,confidence,model")
    #expect(lines[1].hasPrefix("7,news of the aa,World,"))
  }

  @Test("From a half-labelled file of Excel's to a file with what the trained model says of every row")
  func halfLabelled() throws {
    let front = try Front()
    let rows = (0..<12).map { number in
      let isNews = number % 2 == 0
      return "\(number);\(isNews ? "news of" : "z y");\(isNews ? "the day" : "x") \(number);"
        + (number < 8 ? isNews ? "World" : "Sports" : "")
    }
    try front.write((["sep=;", "id;subject;body;topic"] + rows).joined(separator: "\r\n"), to: "mail.csv")
    let outcome = try front.lines(
      "load mail.csv --text subject --text body", "interface define --from mail", "label file",
      "finetune --method linear", "predict", "export predictions out.csv")
    #expect(outcome.status == 0, "\(outcome.error)")
    #expect(
      outcome.text.contains("The file labelled 8 assets of mail; 4 have no category and wait for predict."))
    let lines = try front.read("out.csv").split(separator: "\n").map(String.init)
    #expect(lines[0] == "id,subject,body,topic,prediction,confidence,model")
    #expect(lines.count == 13 && lines[1...].allSatisfy { $0.hasSuffix(",tuned-1") })
    #expect(lines[1].hasPrefix("0,news of,the day 0,World,WORLD,"), "\(lines[1])")
    #expect(lines[12].hasPrefix("11,z y,x 11,,SPORTS,"), "\(lines[12])")
    #expect(try front.run("replay", ".fettle/session.md").status == 0)
  }

  @Test("Refused: an existing file without --replace, another ending, a data set that nobody predicted")
  func refused() throws {
    let front = try predicted(Self.desk)
    try front.write("mine", to: "out.csv")
    let exists = try front.lines("export predictions out.csv")
    #expect(exists.status == 1 && exists.error.contains("out.csv is there already"), "\(exists.error)")
    #expect(try front.read("out.csv") == "mine")
    #expect(try front.lines("export predictions out.csv --replace").status == 0)
    #expect(try front.read("out.csv").hasPrefix("id,"))
    let ending = try front.lines("export predictions out.xlsx")
    #expect(ending.status == 2 && ending.error.contains(".csv"), "\(ending.error)")
    #expect(try front.lines("export predictions none/out.csv").error.contains("does not exist"))
    try front.writeLetters()
    let unpredicted = try front.lines("load letters.csv", "export predictions letters-out.csv")
    #expect(unpredicted.status == 1 && unpredicted.error.contains("predict"), "\(unpredicted.error)")
    let named = try front.lines("export predictions more.csv --dataset desk --model tuned-9")
    #expect(named.status == 1 && named.error.contains("There is no model named tuned-9"))
    let hidden = try FileManager.default.contentsOfDirectory(atPath: front.folder.path)
    #expect(!hidden.contains { $0.hasSuffix("fettle-part") || $0 == "letters-out.csv" })
    // What was there before a session is not there when it is replayed.
    #expect(try front.run("replay", ".fettle/session.md").status == 0)
  }

  @Test("export finetune writes over nothing unasked")
  func trainingFile() throws {
    let front = try Front(tiny: false)
    try front.writeLetters()
    try front.write("mine", to: "t.jsonl")
    try front.lines("load letters.csv", "interface define --from letters", "label simulate")
    let refused = try front.run("export", "finetune", "t.jsonl")
    #expect(refused.status == 1 && refused.error.contains("t.jsonl is there already"), "\(refused.error)")
    #expect(try front.read("t.jsonl") == "mine")
    #expect(try front.run("export", "finetune", "t.jsonl", "--replace").status == 0)
    #expect(try front.read("t.jsonl").split(separator: "\n").count == 40)
  }
}
