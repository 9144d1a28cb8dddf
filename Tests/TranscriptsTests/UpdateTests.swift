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
        ```fettle
        fettle> kpi
        base on news-1:   200 assets
          agree     ~119±5
          accuracy  ~0.660±0.05   (95 % ~0.590 to ~0.730)
        ~ most often confused: C taken for D (8)
        ```
        """)
    let text = try updated(kpi)
    #expect(text == expected)
    let document = try Document(parsing: text)
    #expect(Comparison(of: document.steps[0], with: kpi).differences.isEmpty)
    #expect(document.updated(with: [kpi]).text == text)
  }

  @Test("a fence with several commands becomes a fence for each when one changes")
  func severalCommands() throws {
    let expected = Self.document.replacing(
      "fettle> one\n1\n\nfettle> two\n2\n```",
      with: "fettle> one\n1\n```\n\n```fettle\nfettle> two\nnew\n```")
    #expect(try updated(nil, nil, ComparisonTests.text("new")) == expected)
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
