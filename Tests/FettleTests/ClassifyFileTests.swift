import Foundation
import Testing

/// `classify --file`: an answer for each text of a file.
@Suite struct ClassifyFileTests {
  private func front() throws -> Front {
    let front = try Front()
    let outcome = try front.lines(#"interface define "World, Sports""#)
    try #require(outcome.status == 0, "\(outcome.error)")
    return front
  }

  private func texts(_ front: Front, _ arguments: String...) throws -> [String] {
    let outcome = try front.run(["--json", "classify", "--file"] + arguments)
    try #require(outcome.status == 0, "\(outcome.output)")
    return try outcome.lines.map { line in
      let answer = try object(line)
      #expect(answer["model"] as? String == "base" && answer["verb"] as? String == "classify")
      #expect(answer["confidence"] is Double && (answer["scores"] as? [String: Double])?.count == 2)
      #expect(["WORLD", "SPORTS"].contains(answer["category"] as? String))
      return answer["text"] as? String ?? ""
    }
  }

  @Test("One object a text, of every form that load reads, and of plain lines")
  func forms() throws {
    let front = try front()
    let expected = ["news of the aa", "z y x | ab"]
    try front.write("news of the aa\nz y x | ab\n", to: "lines.txt")
    #expect(try texts(front, "lines.txt") == expected)
    try front.write("id;topic;text\n1;;news of the aa\n2;World;z y x | ab\n", to: "table.csv")
    #expect(try texts(front, "table.csv") == expected)
    try front.write("body,when\nnews of the aa,1\nz y x | ab,2\n", to: "odd.csv")
    #expect(try texts(front, "odd.csv", "--text", "body") == expected)
    try front.write(
      #"{"headline": "news of the aa"}"# + "\n" + #"{"headline": "z y x | ab"}"# + "\n", to: "h.jsonl")
    #expect(try texts(front, "h.jsonl") == expected)
    try front.write("news of the aa|WORLD\nz y x | ab|SPORTS\n", to: "pipe.txt")
    #expect(try texts(front, "pipe.txt") == expected, "the categories are no part of the texts")
  }

  @Test("For people a table, which replays; each text gets what it gets alone")
  func table() throws {
    let front = try front()
    let lines = (0..<70).map { "news of the \(UnicodeScalar(UInt8(97 + $0 % 26))) \($0)" }
    try front.write(lines.joined(separator: "\n") + "\n", to: "many.txt")
    let outcome = try front.run("classify", "--file", "many.txt")
    #expect(outcome.lines[0] == "70 texts by base", "\(outcome.error)")
    #expect(outcome.lines.count == 72 && outcome.lines[71].contains(lines[69]))
    let last = try object(try front.run("--json", "classify", "--file", "many.txt").lines[69])
    let alone = try object(try front.run("--json", "classify", lines[69]).lines[0])
    #expect(last["category"] as? String == alone["category"] as? String)
    #expect(last["confidence"] as? Double == alone["confidence"] as? Double)
    #expect(try front.run("replay", ".fettle/session.md").status == 0)
    #expect(try front.run("classify", "--file", "none.txt").error.contains("none.txt"))
    #expect(try front.lines("classify and a text --file many.txt").status == 2)
    #expect(try front.run("classify").status == 2)
  }
}
