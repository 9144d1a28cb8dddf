import Testing
import Transcripts

@Suite("Writing a document")
struct WriterTests {
  static let entries: [DocumentWriter.Entry] = [
    .step(Step(command: "load a.csv", answer: ["Loaded a: 2 assets."])),
    .note("Now *look*:\n\n- at this\n"),
    .step(Step(command: "for x in A {\n  kpi\n\n}", answer: ["```", "", "done  "])),
    .step(Step(command: "predict", isInterrupted: true)),
    .step(Step(command: "kpi", answer: ["error: nothing is predicted yet."])),
  ]

  static let text = """
    ---
    fettle: 0.1.0
    seed: 42
    precision: f32
    root: ..
    ---
    # A session

    ```fettle
    fettle> load a.csv
    Loaded a: 2 assets.
    ```

    Now *look*:

    - at this

    ````fettle
    fettle> for x in A {
         >   kpi
         >
         > }
    ```

    done\u{20}\u{20}
    ````

    ```fettle
    # interrupted: predict
    ```

    ```fettle
    fettle> kpi
    error: nothing is predicted yet.
    ```

    """

  @Test("gives the form that the design shows")
  func form() {
    let frontMatter = FrontMatter(root: "..")
    #expect(
      DocumentWriter.text(frontMatter: frontMatter, title: "A session", entries: Self.entries) == Self.text)
  }

  @Test("a piece at a time gives the same bytes as at once")
  func appending() {
    var text = DocumentWriter.head(frontMatter: FrontMatter(root: ".."), title: "A session")
    for entry in Self.entries { text += DocumentWriter.text(of: entry) }
    #expect(text == Self.text)
  }

  @Test("what is written is read back")
  func readBack() throws {
    let document = try Document(parsing: Self.text)
    #expect(document.text == Self.text)
    let written = Self.entries.compactMap { entry in if case .step(let step) = entry { step } else { nil } }
    #expect(document.steps.map(\.unplaced) == written)
    #expect(document.steps.map(\.line) == [10, 19, 29, 33])
  }

  @Test("every nasty answer and command is read back as it was", arguments: nastyLines)
  func nasty(line: String) throws {
    for answer in [[line], [line, line], ["before", line, "after"], ["", line, ""]] {
      let step = Step(command: "kpi", answer: answer)
      try expectReadBack([step, step])
    }
    let command = Step(command: "note " + line + "\n" + line + "\n", answer: ["answer"])
    try expectReadBack([command])
    try expectReadBack([Step(command: command.command, isInterrupted: true), command])
  }

  @Test("any mixture of nasty lines is read back as it was", arguments: 0..<200)
  func mixtures(seed: Int) throws {
    var generator = SeededGenerator(seed: UInt64(seed))
    let steps = (0..<5).map { _ in
      let lines = (0..<Int.random(in: 0...6, using: &generator)).map { _ in
        nastyLines.randomElement(using: &generator) ?? ""
      }
      let isInterrupted = Int.random(in: 0...4, using: &generator) == 0
      return Step(
        command: lines.suffix(2).joined(separator: "\n"), answer: lines, isInterrupted: isInterrupted)
    }
    try expectReadBack(steps)
  }

  private func expectReadBack(_ steps: [Step]) throws {
    let text = DocumentWriter.text(
      frontMatter: FrontMatter(), title: "Nasty", entries: steps.flatMap { [.step($0), .note("A note.")] })
    let document = try Document(parsing: text)
    #expect(document.steps.map(\.unplaced) == steps)
    #expect(
      Array(document.steps.map(\.answer).joined()).map { Array($0.utf8) }
        == steps.flatMap(\.answer).map { Array($0.utf8) })
    #expect(Array(document.text.utf8) == Array(text.utf8))
    #expect(document.breaksOff == nil)
  }

  @Test(
    "a note is prose, whatever is in it",
    arguments: nastyLines + ["```fettle\nfettle> quit\n```", "<!--\n```"])
  func notes(note: String) throws {
    let after = Step(command: "kpi", answer: ["fine"])
    let text = DocumentWriter.text(
      frontMatter: FrontMatter(), title: "Notes",
      entries: [.note(note), .note(note + "\ntext"), .step(after)])
    let document = try Document(parsing: text)
    #expect(document.steps.map(\.unplaced) == [after])
    #expect(document.breaksOff == nil)
  }

  @Test("a note with a code block of its own keeps it; one that would swallow the rest is escaped")
  func noteFences() {
    let block = "Look:\n\n```json\n{}\n```"
    #expect(DocumentWriter.text(of: .note(block)) == "\n" + block + "\n")
    #expect(DocumentWriter.text(of: .note("```json\n{}")) == "\n\\```json\n{}\n")
    #expect(DocumentWriter.text(of: .note(" <!-- x")) == "\n \\<!-- x\n")
    #expect(DocumentWriter.text(of: .note("\n\n  two\r\nlines\n\n\n")) == "\n  two\nlines\n")
  }
}

extension Step {
  /// The step as if it came from no document.
  var unplaced: Step { Step(command: command, answer: answer, isInterrupted: isInterrupted) }
}
