import Foundation
import Shell
import Testing

@Suite("JSON on one line")
struct JSONValueTests {
  @Test("has sorted keys, plain slashes, and null for what is no number")
  func line() {
    let value: JSONValue = [
      "b": 1, "a": [true, nil, 0.5, "x/y"], "Z": .double(.nan), "i": .double(-.infinity), "e": [:], "s": 1e-7,
    ]
    #expect(
      value.line == #"{"Z":null,"a":[true,null,0.5,"x/y"],"b":1,"e":{},"i":null,"s":1e-07}"#)
  }

  @Test("keeps the few digits of single precision")
  func float() {
    #expect(
      JSONValue.array([.float(0.1), .float(-1.5), .float(.nan), .float(1e-20)]).line
        == "[0.1,-1.5,null,1e-20]")
  }

  @Test("is valid and one line for every character, and reads back the same")
  func everyCharacter() throws {
    var all = String.UnicodeScalarView()
    for code in UInt32(0)...0x2_FFFF {
      if let scalar = Unicode.Scalar(code) { all.append(scalar) }
    }
    let value = JSONValue.object([String(all): .string(String(all))])
    let line = value.line
    #expect(!line.contains { $0.isNewline })
    #expect(!line.unicodeScalars.contains { $0.value < 0x20 || (0x7F..<0xA0).contains($0.value) })
    #expect(try JSONValue(parsing: line) == value)
    _ = try JSONSerialization.jsonObject(with: Data(line.utf8))
  }

  @Test("reads numbers, and finds members")
  func parsing() throws {
    let value = try JSONValue(parsing: #"{"a": {"b": 2.5}, "n": 3, "t": true, "z": null, "l": [1]}"#)
    #expect(value["a"]?["b"] == 2.5)
    #expect(value["n"] == 3)
    #expect(value["n"]?.number == 3)
    #expect(value["t"] == true)
    #expect(value["z"] == .null)
    #expect(value["missing"] == nil)
    #expect(throws: DecodingError.self) { try JSONValue(parsing: "{") }
  }

  @Test("of a report has its verb and its timing, one object a text where the verb gives several")
  func report() {
    var report = Report(verb: "kpi", json: ["accuracy": 0.5], timing: ["seconds": 0.25])
    #expect(report.jsonLines.map(\.line) == [#"{"accuracy":0.5,"timing":{"seconds":0.25},"verb":"kpi"}"#])
    report.objects = [["ids": [1]], ["ids": []]]
    report.timing = [:]
    #expect(report.jsonLines.map(\.line) == [#"{"ids":[1],"verb":"kpi"}"#, #"{"ids":[],"verb":"kpi"}"#])
  }

  @Test("of a failure names its place, or nulls")
  func failure() {
    let failure = Diagnostic(code: "bad-row", message: "No.", file: "a.csv", line: 3, column: 5)
    #expect(
      failure.json(verb: "load").line
        == #"{"error":{"code":"bad-row","column":5,"file":"a.csv","line":3,"message":"No."},"verb":"load"}"#)
    #expect(Diagnostic(code: "x", message: "y").json(verb: nil)["error"]?["file"] == .null)
  }
}
