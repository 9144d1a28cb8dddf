import Shell
import Testing
import Transcripts

private let report = Report(
  verb: "kpi",
  blocks: [
    .line("base on news-1: 200 assets"),
    .fields([
      ("agree", "\(.count(118, of: 200))"),
      (
        "accuracy",
        "\(.share(0.59, of: 200))   (95 % \(.share(0.5212, of: 200)) to \(.share(0.656, of: 200)))"
      ),
    ]),
    .table(
      Table(
        header: ["category", "assets", "F1"],
        rows: [["WORLD NEWS", "25", "\(.macroF1(0.6, of: 25))"], ["東京", "5", "\(.macroF1(.nan, of: 25))"]],
        alignments: [.left, .right, .right])),
    .bars([
      Bar("SPORTS", value: "\(.confidence(0.75))", share: 0.75),
      Bar("ARTS", value: "\(.confidence(0))", share: 0),
    ]),
    .derived(["most often confused: WORLD NEWS taken for POLITICS (9)"]),
    .preformatted(["  a   b  ", "c"]),
  ], hint: "next: finetune")

/// A document's answer as text, as it would be written.
private func text(_ answer: Answer) -> [String] {
  answer.lines.map { line in
    (line.isDerived ? "~ " : "")
      + line.tokens.map { token in
        switch token {
        case .text(let text): text
        case .estimate(let estimate): "<\(estimate.value)>"
        }
      }.joined()
  }
}

@Test(
  "A significance test's p is never drawn as 0",
  arguments: [
    (1.0, "~1.000"), (0.0174, "~0.017"), (0.001, "~0.001"), (0.00022, "~0.0002"), (0.000009, "~0.000009"),
    (1e-12, "~0.000001"),
  ])
func smallP(p: Double, drawn: String) {
  let report = Report(verb: "x", blocks: [.fields([("p", "\(.pValue(p))")])])
  #expect(TerminalDrawing(width: 80, colour: false, unicode: true).draw(report) == "  p  \(drawn)\n")
}

@Suite("The document's drawing")
struct CanonicalDrawingTests {
  @Test("keeps estimates as tokens, and columns where their drawings end")
  func whole() {
    #expect(
      text(CanonicalDrawing.draw(report)) == [
        "base on news-1: 200 assets",
        "  agree     <118.0>",
        "  accuracy  <0.59>   (95 % <0.5212> to <0.656>)",
        "  category    assets      F1",
        "  WORLD NEWS      25  <0.6>",
        "  東京             5    <nan>",
        "  SPORTS  <0.75>",
        "  ARTS    <0.0>",
        "~ most often confused: WORLD NEWS taken for POLITICS (9)",
        "  a   b",
        "c",
      ])
  }

  @Test("wraps sentences at 80 columns, but never a line with an estimate")
  func wrapping() {
    let words = Array(repeating: "twelve", count: 15).joined(separator: " ")
    let answer = CanonicalDrawing.draw(
      Report(verb: "x", blocks: [.line(Cell(words)), .line("\(words) \(.loss(0.5))"), .derived([words])]))
    #expect(text(answer).map(\.count) == [76, 29, 110, 78, 31])
    #expect(text(answer)[1].hasPrefix("  twelve"))
    #expect(answer.lines[3].isDerived && answer.lines[4].isDerived)
  }

  @Test("shows escape codes and turned lines instead of obeying them, and leaves no blanks at line ends")
  func harmless() {
    let answer = CanonicalDrawing.draw(
      Report(verb: "x", blocks: [.line("a \u{1B}[31mred\u{202E} \n\t\u{85} end  "), .fields([("e", "")])]))
    #expect(text(answer) == [#"a \u{1b}[31mred\u{202e} \n\t\u{85} end"#, "  e"])
  }

  @Test("of a failure is its sentence, without the place in a script")
  func failure() {
    let failure = Diagnostic(
      code: "x", message: "No such file.", file: "lesson", line: 3, column: 4, source: "load x")
    #expect(text(CanonicalDrawing.draw(failure)) == ["error: No such file."])
  }
}

@Suite("The terminal's drawing")
struct TerminalDrawingTests {
  @Test("has bars, a quiet hint, and no escape code without colour")
  func plain() {
    #expect(
      TerminalDrawing(width: 80, colour: false, unicode: true).draw(report) == """
        base on news-1: 200 assets
          agree     ~118
          accuracy  ~0.590   (95 % ~0.521 to ~0.656)
          category    assets      F1
          WORLD NEWS      25  ~0.600
          東京             5    ~n/a
          SPORTS  ~0.750  ██████████████████████████████
          ARTS    ~0.000
        most often confused: WORLD NEWS taken for POLITICS (9)
          a   b
        c
        next: finetune

        """)
  }

  @Test("says with ASCII what ASCII can say where that is all there is")
  func ascii() {
    let drawn = TerminalDrawing(width: 40, colour: false, unicode: false).draw(
      Report(
        verb: "x",
        blocks: [
          .bars([Bar("A", value: "1", share: 0.5)]),
          .table(Table(header: ["text"], rows: [[Cell(String(repeating: "long ", count: 12))]])),
        ]))
    #expect(drawn.utf8.count == drawn.count)
    #expect(drawn.contains("################\n"))
    #expect(drawn.contains("long...\n"))
  }

  @Test("fits a table into the window: text is cut, numbers are not", arguments: [30, 40, 80, 200])
  func fitted(width: Int) {
    let table = Table(
      header: ["asset", "text", "share"],
      rows: [
        [
          "text_0", Cell(String(repeating: "Ferry strike enters second week. ", count: 4)),
          "\(.confidence(0.5))",
        ],
        ["text_1", Cell(String(repeating: "渡船罷工進入第二週", count: 9)), "\(.confidence(0.25))"],
      ], alignments: [.left, .left, .right])
    let drawn = TerminalDrawing(width: width, colour: false, unicode: true)
      .draw(Report(verb: "x", blocks: [.table(table)]))
    let lines = drawn.split(separator: "\n")
    #expect(lines.count == 3)
    for line in lines {
      #expect(columns(String(line)) <= width)
    }
    #expect(lines[1].hasSuffix("~0.500"))
    #expect(lines[2].hasSuffix("~0.250"))
    #expect(lines[1].contains("…") == (width < 200))
    #expect(lines[1].contains("text_0"))
  }

  @Test("counts wide characters, accents, flags and families as the terminal does")
  func wide() {
    for (text, width) in [
      ("東京", 4), ("e\u{301}", 1), ("👩‍👩‍👧", 2), ("🇩🇪", 2), ("☕", 2), ("❤️", 2), ("한국", 4), ("ｆｕｌｌ", 8), ("x", 1),
      ("\u{301}", 0), ("…", 1), ("█", 1),
    ] {
      let drawn = TerminalDrawing(width: 80, colour: false, unicode: true)
        .draw(Report(verb: "x", blocks: [.table(Table(header: ["a", "b"], rows: [[Cell(text), "|"]]))]))
      let row = drawn.split(separator: "\n")[1]
      let blanks = row.drop { $0 == " " }.dropFirst(text.count).prefix { $0 == " " }.count
      #expect(blanks == 2 + max(1, width) - width, "of \(text)")
    }
  }

  @Test("wraps sentences and values at blanks")
  func wrapping() {
    let words = Array(repeating: "twelve", count: 9).joined(separator: " ")
    let drawn = TerminalDrawing(width: 40, colour: false, unicode: true)
      .draw(Report(verb: "x", blocks: [.line(Cell(words)), .fields([("name", Cell(words))])]))
    #expect(
      drawn == """
        twelve twelve twelve twelve twelve
          twelve twelve twelve twelve
          name  twelve twelve twelve twelve
                twelve twelve twelve twelve
                twelve

        """)
  }

  @Test("of a failure has its place and a caret under the column")
  func failure() {
    let drawing = TerminalDrawing(width: 60, colour: false, unicode: true)
    let failure = Diagnostic(
      code: "x", message: "There is no predcit.", file: "lesson", line: 3, column: 6, source: "東京\tx predcit")
    #expect(
      drawing.draw(failure) == """
        error: There is no predcit.
          lesson:3:6
          東京 x predcit
                 ^

        """)
    var long = failure
    long.file = nil
    long.source = String(repeating: "word ", count: 60) + "bad"
    long.column = 301
    let lines = drawing.draw(long).split(separator: "\n")
    #expect(lines[1].hasPrefix("  …") && lines[1].hasSuffix("bad"))
    #expect(columns(String(lines[2])) == columns(String(lines[1])) - 2)
    #expect(
      drawing.draw(Diagnostic(code: "interrupted", message: "Stopped.", exitStatus: 130)) == "Stopped.\n")
  }

  @Test("colours where colour is welcome, and nothing that came from a file")
  func colour() {
    let drawing = TerminalDrawing(width: 80, colour: true, unicode: true)
    #expect(
      drawing.draw(Diagnostic(code: "x", message: "\u{1B}[5m")).hasPrefix(
        "\u{1B}[1;31merror:\u{1B}[0m \\u{1b}[5m"))
    #expect(drawing.draw(report).contains("\u{1B}[2mnext: finetune\u{1B}[0m\n"))
  }
}

/// Columns of CJK and ASCII, all that is drawn where this is asked.
private func columns(_ text: String) -> Int {
  text.reduce(0) { $0 + ($1.unicodeScalars.allSatisfy { (0x2E80...0xFFFF).contains($0.value) } ? 2 : 1) }
}

@Suite("Pictures on the terminal")
struct PictureTests {
  private let matrix = Matrix(
    caption: "rows: truth, columns: prediction", names: ["ARTS", "東京", "WORLD NEWS"],
    counts: [[20, 5, 0], [0, 9, 1], [12, 0, 12]])
  private let curve = Curve("loss by epoch", values: [2, 1, 0.5, 0.25, 0])

  private func draw(_ block: Block, width: Int = 80, unicode: Bool = true) -> [String] {
    let text = TerminalDrawing(width: width, colour: false, unicode: unicode)
      .draw(Report(verb: "kpi", blocks: [block]))
    return text.split(separator: "\n").map(String.init)
  }

  @Test("a confusion matrix is shaded by the share of each row, and reads without colour")
  func shades() {
    #expect(
      draw(.matrix(matrix)) == [
        "rows: truth, columns: prediction",
        "                 1    2    3",
        " 1 ARTS       ██20 ░░ 5    ·",
        " 2 東京          · ██ 9 ░░ 1",
        " 3 WORLD NEWS ▒▒12    · ▒▒12",
        "shades: ░ up to a quarter, ▒ half, ▓ three quarters, █ all of its row",
      ])
    #expect(draw(.matrix(matrix), unicode: false)[2] == " 1 ARTS       ##20 .. 5    .")
  }

  @Test(
    "one too wide for the window is cut in its names, then drawn in parts; no line is wider than the window")
  func narrow() {
    let names = (1...20).map { "A LONG CATEGORY \($0)" }
    let wide = Matrix(
      caption: "rows: truth, columns: prediction", names: names,
      counts: names.indices.map { row in names.indices.map { $0 == row ? 100 : 0 } })
    let lines = draw(.matrix(wide), width: 80)
    #expect(lines.allSatisfy { $0.count <= 80 }, "\(lines)")
    #expect(lines.count { $0.hasPrefix(" 7 A LONG…") } == 2)
    #expect(lines.count { $0.contains("██100") } == 20)
  }

  @Test("a table too wide for the window is cut in its texts and never in its numbers, then drawn row by row")
  func narrowTable() {
    let table = Table(
      header: ["model", "from", "method", "labels", "on disk"],
      rows: [["thorough", "base", "full fine-tuning", "200", "91.1 MB"], ["base", "", "", "", ""]],
      alignments: [.left, .left, .left, .right, .right])
    #expect(
      draw(.table(table), width: 44) == [
        "  model     from  method     labels  on disk", "  thorough  base  full fin…     200  91.1 MB",
        "  base",
      ])
    #expect(
      draw(.table(table), width: 34) == [
        "  thorough", "    from     base", "    method   full fine-tuning", "    labels   200",
        "    on disk  91.1 MB", "  base",
      ])
  }

  @Test("names that people type are never cut")
  func wholeNames() {
    let name = String(repeating: "long-", count: 7)
    var table = Table(
      header: ["model", "on disk"], rows: [[Cell("\(name)"), "91.1 MB"]], alignments: [.left, .right])
    #expect(draw(.table(table), width: 40).count == 2)
    #expect(draw(.table(table), width: 40)[1].contains("…"))
    table.keepsNames = true
    #expect(draw(.table(table), width: 40) == ["  \(name)", "    on disk  91.1 MB"])
  }

  @Test("a loss curve falls from its greatest value to 0, over its numbers")
  func falling() {
    let lines = draw(.curve(curve), width: 30)
    #expect(lines[0] == "loss by epoch: 2.000 1.000")
    #expect(lines.contains { $0.hasPrefix("  2.000┤⠢") || $0.hasPrefix("  2.000┤⠑") }, "\(lines)")
    #expect(lines.contains { $0.hasPrefix("  0.000┤") && $0.hasSuffix("⣀") })
    #expect(lines.last == "        1    2    3   4    5")
    #expect(
      draw(.curve(curve), width: 30, unicode: false).suffix(7) == [
        "  2.000|*", "       | **", "       |   **", "       |     ****", "       |         *******",
        "  0.000|                ****", "        1    2    3   4    5",
      ])
  }

  @Test(
    "there is no curve of one value, of equal ones at 0, or of what is no number",
    arguments: [[1], [0, 0], [1, .nan]])
  func none(values: [Double]) {
    #expect(draw(.curve(Curve("loss", values: values))).count == 1)
  }

  @Test("the document has the numbers alone, as lines that are derived")
  func canonical() {
    let answer = CanonicalDrawing.draw(Report(verb: "kpi", blocks: [.curve(curve), .matrix(matrix)]))
    #expect(
      text(answer) == [
        "~ loss by epoch: 2.000 1.000 0.500 0.250 0.000", "~ rows: truth, columns: prediction",
        "~                  1   2   3", "~  1 ARTS         20   5   ·", "~  2 東京          ·   9   1",
        "~  3 WORLD NEWS   12   ·  12",
      ])
  }

  @Test("prose is filled, without the marks of emphasis, and no wider than is good to read")
  func prose() {
    let markdown = "# Title\n\nOne *two* three\nfour `a * b * c`.\n\n- a\n- b\n"
    #expect(
      draw(.prose(markdown), width: 24) == ["Title", "One two three four `a *", "b * c`.", "- a", "- b"])
    let long = String(repeating: "word ", count: 60)
    #expect(draw(.prose(long), width: 200).allSatisfy { $0.count <= 96 })
    let table =
      "Three:\n\n| family | it sees | made for |\n| --- | --- | --- |\n| *encoder* | all | labels |\n| decoder | | text |\n\nSo.\n"
    #expect(
      draw(.prose(table), width: 60) == [
        "Three:", "- encoder: it sees all; made for labels", "- decoder: it sees ; made for text", "So.",
      ])
    let drawing =
      "It is\n\n    W [8, 4]   *  x    ->  + y\n      B . A\n\nand no more than that, of course.\n"
    #expect(
      draw(.prose(drawing), width: 24) == [
        "It is", "    W [8, 4]   *  x    ->  + y", "      B . A", "and no more than that,", "of course.",
      ])
  }
}
