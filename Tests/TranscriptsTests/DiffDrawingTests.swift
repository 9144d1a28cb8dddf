import Testing
import Transcripts

@Suite("Differences, drawn")
struct DiffDrawingTests {
  static let differences = [
    Difference(.exact, expected: "200 assets", actual: "201 assets", line: 3),
    Difference(
      .estimate(expected: 0.59, actual: 0.62, tolerance: 0.0105), expected: "acc ~0.590",
      actual: "acc ~0.620",
      line: 4),
    Difference(.missing, expected: "gone", actual: nil, line: 5),
    Difference(.extra, expected: nil, actual: "new", line: 6),
    Difference(.derived, expected: "~ A", actual: "~ B", line: 7),
  ]

  @Test("plainly")
  func plain() {
    #expect(
      DiffDrawing(colour: false).draw(Self.differences) == [
        "line 3", "- 200 assets", "+ 201 assets", "line 4", "- acc ~0.590", "+ acc ~0.620",
        "  ~0.59 became ~0.62: 0.03 apart, and 0.0105 would have passed.", "line 5, which is missing now",
        "- gone",
        "line 6, where there is one more now", "+ new", "line 7, a derived line: fails nothing", "- ~ A",
        "+ ~ B",
      ])
  }

  @Test("in colour, with what changed in bold")
  func colour() {
    let lines = DiffDrawing(colour: true).draw([Self.differences[0]])
    #expect(
      lines == [
        "\u{1B}[2mline 3\u{1B}[0m", "\u{1B}[31m- 20\u{1B}[1m0\u{1B}[22m assets\u{1B}[0m",
        "\u{1B}[32m+ 20\u{1B}[1m1\u{1B}[22m assets\u{1B}[0m",
      ])
  }

  @Test("colour changes nothing but colour")
  func sameText() {
    let plain = DiffDrawing(colour: false).draw(Self.differences)
    let coloured = DiffDrawing(colour: true).draw(Self.differences)
    #expect(coloured.map { $0.replacing(/\u{1B}\[[0-9]+m/, with: "") } == plain)
  }

  @Test("without letting a stranger's document speak to the terminal")
  func controlCharacters() {
    let difference = Difference(
      .exact, expected: "\u{1B}[2Jgone\u{202E}\u{7}\u{9B}x", actual: "a\rb", line: 1)
    for colour in [false, true] {
      let text = DiffDrawing(colour: colour).draw([difference]).joined()
        .replacing(/\u{1B}\[[0-9]+m/, with: "")
      #expect(text == "line 1- \\u{1b}[2Jgone\\u{202e}\\u{7}\\u{9b}x+ a\\rb")
    }
  }

  @Test("without a number where there is none")
  func notANumber() {
    let difference = Difference(
      .estimate(expected: nil, actual: 0.5, tolerance: 0), expected: "~n/a", actual: "~0.5", line: 1)
    #expect(DiffDrawing(colour: false).draw([difference]).last == "  One of the two has no number.")
  }
}
