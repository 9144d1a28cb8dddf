import Testing
import Transcripts

@Suite("Updating a document")
struct UpdateTests {
  static let document = """
    Prose with  two blanks.  \u{20}

    ~~~fettle
    fettle> kpi
    base on news-1:   200 assets
      agree     ~119±5
      accuracy  ~0.59±0.05   (95 % ~0.521 to ~0.656)
    ~ most often confused: A taken for B (9)
    ~~~

    ```fettle
    fettle> one
    1

    fettle> two
    2
    ```
    The end
    """

  private func updated(_ answers: Answer?...) throws -> String {
    try Document(parsing: Self.document).updated(with: answers).text
  }

  @Test("answers within tolerance keep every byte")
  func within() throws {
    let kpi = ComparisonTests.kpi(agree: 122, accuracy: 0.592)
    #expect(try updated(kpi, ComparisonTests.text("1"), ComparisonTests.text("2")) == Self.document)
    #expect(try updated(nil, nil, nil) == Self.document)
    #expect(try updated() == Self.document)
  }

  @Test("only the lines that differ are drawn anew, and the author's ± stays")
  func beyond() throws {
    let kpi = ComparisonTests.kpi(agree: 122, accuracy: 0.66, worst: "C taken for D (8)")
    let expected = Self.document.replacing(
      """
      ~~~fettle
      fettle> kpi
      base on news-1:   200 assets
        agree     ~119±5
        accuracy  ~0.59±0.05   (95 % ~0.521 to ~0.656)
      ~ most often confused: A taken for B (9)
      ~~~
      """,
      with: """
        ~~~fettle
        fettle> kpi
        base on news-1:   200 assets
          agree     ~119±5
          accuracy  ~0.660±0.05   (95 % ~0.590 to ~0.730)
        ~ most often confused: C taken for D (8)
        ~~~
        """)
    let text = try updated(kpi)
    #expect(text == expected)
    let document = try Document(parsing: text)
    #expect(Comparison(of: document.steps[0], with: kpi).differences.isEmpty)
    #expect(document.updated(with: [kpi]).text == text)
  }

  @Test("a fence with several commands stays one, with the empty lines between them")
  func severalCommands() throws {
    #expect(
      try updated(nil, ComparisonTests.text("11", "12"), ComparisonTests.text("new"))
        == Self.document.replacing("one\n1\n\n", with: "one\n11\n12\n\n").replacing(
          "two\n2\n", with: "two\nnew\n"))
    #expect(
      try updated(nil, ComparisonTests.text(), nil) == Self.document.replacing("one\n1\n", with: "one\n"))
  }

  @Test("what differs is written as the document is: line ends, marks, indentation and name")
  func style() throws {
    let text =
      "\u{FEFF}---\r\nseed: 7 # mine\r\n---\r\nProse  \r\n\r\n  ~~~~  fettle {.wide}\r\n  fettle> one\r\n  1\r\n  2\r\n  ~~~~\r\nend"
    let document = try Document(parsing: text)
    #expect(document.text == text)
    let new = ComparisonTests.text("1", "", "~~~~", "3")
    let updated = document.updated(with: [new])
    #expect(
      updated.text
        == text.replacing("  2\r\n", with: "\r\n  ~~~~\r\n  3\r\n")
        .replacing("~~~~  fettle", with: "~~~~~  fettle").replacing("  ~~~~\r\nend", with: "  ~~~~~\r\nend"))
    #expect(Comparison(of: updated.steps[0], with: new).differences.isEmpty)
    #expect(updated.updated(with: [new]).text == updated.text)
  }

  @Test("an answer that holds fences and prompts reads back")
  func nasty() throws {
    let answer = ComparisonTests.text("```", "fettle> quit", "~ tilde", "\\fettle> x")
    let text = try updated(nil, answer)
    let document = try Document(parsing: text)
    #expect(document.steps.count == 3)
    #expect(Comparison(of: document.steps[1], with: answer).differences.isEmpty)
    #expect(document.steps[2].answer == ["2"])
    #expect(text.hasSuffix("```\nThe end"))
  }

  @Test("lines appear and go, errors too, and the lines are counted anew")
  func linesAppear() throws {
    let document = try Document(parsing: Self.document)
    let new = document.updated(with: [ComparisonTests.text("error: there is no interface yet.")])
    #expect(new.steps[0].answer == ["error: there is no interface yet."])
    #expect(new.steps.map(\.line) == [4, 9, 12])
    #expect(new.parts.first == document.parts.first)
    #expect(new.parts.last == document.parts.last)
  }

  @Test("interrupted steps and a broken end stay")
  func untouched() throws {
    let text =
      "```fettle\n# interrupted: predict\n```\n```fettle\nfettle> kpi\nold\n```\n```fettle\nfettle> ha"
    let document = try Document(parsing: text).updated(
      with: [ComparisonTests.text("new"), ComparisonTests.text("new")])
    #expect(document.text == text.replacing("old", with: "new"))
    #expect(document.breaksOff == 8)
  }
}
