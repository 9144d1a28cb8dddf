import Foundation
import Testing

/// `session export`: a document for readers without fettle.
@Suite struct ExportTests {
  private static let document = """
    ---
    seed: 7
    ---
    # Of <b>tags</b> & *other* things

    A note with <script>alert(1)</script>, ![a picture](http://example.org/x.png) and [a link](javascript:alert(2)).

    <!-- not for readers -->

    <div onclick="evil()">A block.</div>

    | a | b |
    | - | - |
    | 1 | 2 |

    ```fettle
    fettle> classify <script>alert("3")</script> & more \u{1B}[31m
    SPORTS ~0.500 (by base) </samp><img src=x onerror=alert(4)>
    ~ then <i>WORLD</i> 0.2
    ```

    ```fettle
    fettle> predict
    base predicted news: 30 assets.
      SPORTS <b>      ~10
      WORLD & NEWS  ~20±3
    ```

    ```fettle
    fettle> kpi --confusion
    base on news: 30 assets
      accuracy  ~0.800
    ~ rows: truth, columns: prediction (same order)
    ~                 1   2
    ~  1 SPORTS       9   1
    ~  2 WORLD NEWS   ·  20
    ```

    ```fettle
    fettle> finetune --method full
    ~ loss by epoch: 1.072 0.521
    ~   0.204
    ```

    ```fettle
    fettle> for x in A {
         >   note $x
         > }
    # interrupted: predict
    ```

    ```fettle
    fettle> kpi
    error: No model has predicted all of news yet. Run: predict
    ```

    """

  private func exported(_ file: String, _ text: String = document) throws -> String {
    let front = try Front(tiny: false)
    try front.write(text, to: "lesson.md")
    let outcome = try front.run("session", "export", file, "--from", "lesson.md")
    #expect(outcome.status == 0, "\(outcome.error)")
    #expect(outcome.output == "Exported 7 steps to \(file).\n", "\(outcome.output)")
    return try front.read(file)
  }

  @Test("A page holds prose, commands, answers and plots, fetches nothing, and lets no text become markup")
  func page() throws {
    let page = try exported("lesson.html")
    #expect(page.contains("<title>Of <b>tags</b> & other things</title>") == false)
    #expect(
      page.contains("<title>Of &lt;b&gt;tags&lt;/b&gt; &amp; other things</title>"), "\(page.prefix(900))")
    #expect(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"))
    for markup in [
      "<script", "<img", "<b>", "<i>", "onclick=\"", "javascript:", "not for readers", "<link", "@import",
      "url(", "\u{1B}",
    ] {
      #expect(!page.contains(markup), "\(markup)")
    }
    #expect(page.contains("default-src 'none'"))
    #expect(page.matches(of: #/https?:/#).isEmpty)
    #expect(page.contains("a picture") && page.contains("<table>") && page.contains("A block."))
    #expect(page.contains("<span class=\"prompt\">fettle&gt; </span>classify &lt;script&gt;"))
    #expect(page.contains("     &gt; </span>  note $x") && page.contains("# interrupted: </span>predict"))
    #expect(page.contains("answer error"))
    #expect(page.components(separatedBy: "<svg role=\"img\"").count == 4)
    // What a plot shows stands there once, with the numbers as they were written.
    #expect(page.contains("SPORTS &lt;b&gt; ~10, WORLD &amp; NEWS ~20±3\""), "the picture in words")
    #expect(page.contains(">~20±3</text>") && !page.contains("  WORLD &amp; NEWS"))
    #expect(page.contains("loss by epoch: 1.072, 0.521, 0.204"))
    #expect(page.contains("SPORTS: 9 1; WORLD NEWS: 0 20"))
    #expect(page.contains("width=\"50.00%\"") && page.contains("prefers-color-scheme: dark"))
  }

  @Test("What stands in a confusion matrix's cells can be read: WCAG's AA, by day, by night and on paper")
  func contrast() throws {
    let page = try exported("lesson.html")
    /// The values of a variable: light, dark, print.
    func colours(_ name: String) -> [[Double]] {
      page.components(separatedBy: "--\(name): #").dropFirst().map { rest in
        let hex = rest.prefix { $0.isHexDigit }
        let digits = hex.count == 3 ? hex.map { "\($0)\($0)" }.joined() : String(hex)
        return stride(from: 0, to: 6, by: 2).map {
          Double(Int(digits.dropFirst($0).prefix(2), radix: 16) ?? 0) / 255
        }
      }
    }
    func luminance(_ colour: [Double]) -> Double {
      let linear = colour.map { $0 <= 0.04045 ? $0 / 12.92 : pow(($0 + 0.055) / 1.055, 2.4) }
      return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    }
    let cells = page.matches(
      of: #/class="(right|wrong)" fill-opacity="([0-9.]+)"\/>\n? *<text [^>]*class="([a-z ]+)"/#)
    #expect(cells.count == 3)
    #expect(cells.allSatisfy { $0.3 == "middle number" }, "in the text's colour")
    let themes = zip(zip(colours("ground"), colours("text")), zip(colours("accent"), colours("wrong"))).map {
      (ground: $0.0, text: $0.1, right: $1.0, wrong: $1.1)
    }
    #expect(themes.count == 3)
    for theme in themes {
      for cell in cells {
        let opacity = try #require(Double(cell.2))
        let fill = cell.1 == "right" ? theme.right : theme.wrong
        let shown = zip(fill, theme.ground).map { $0 * opacity + $1 * (1 - opacity) }
        let (light, dark) = (
          max(luminance(shown), luminance(theme.text)), min(luminance(shown), luminance(theme.text))
        )
        #expect((light + 0.05) / (dark + 0.05) >= 4.5, "\(theme), \(opacity)")
      }
    }
  }

  @Test(
    "On paper a step stays on one page unless it is longer than most of one, and the footer with what it ends"
  )
  func paper() throws {
    let lines = (1...50).map { "  category \($0)" }.joined(separator: "\n")
    let text = "```fettle\nfettle> interface show\n\(lines)\n```\n\n```fettle\nfettle> datasets\nNone.\n```\n"
    let front = try Front(tiny: false)
    try front.write(text, to: "long.md")
    try front.run("session", "export", "long.html", "--from", "long.md")
    let page = try front.read("long.html")
    #expect(page.contains("<section class=\"step long\" id=\"step-1\">"))
    #expect(page.contains("<section class=\"step\" id=\"step-2\">"))
    let print = try #require(page.components(separatedBy: "@media print {").last)
    #expect(print.contains(".step { overflow: visible; break-inside: avoid; }"))
    #expect(print.contains(".step.long { break-inside: auto; }"))
    #expect(
      page.contains(#/<div class="end">\n<section class="step" id="step-2">[^§]*<\/section>\n<footer>/#))
    #expect(print.contains(".end { break-inside: avoid; }"))
    #expect(print.contains("footer { margin-top: 1.5rem; break-before: avoid; break-inside: avoid; }"))
  }

  @Test("A notebook is nbformat 4.5: prose, commands with their outputs, an id each")
  func notebook() throws {
    let notebook = try object(exported("lesson.ipynb"))
    #expect(notebook["nbformat"] as? Int == 4 && notebook["nbformat_minor"] as? Int == 5)
    let metadata = try #require(notebook["metadata"] as? [String: [String: Any]])
    #expect(metadata["kernelspec"]?["name"] as? String == "python3")
    // Headlines are no Python, and are not coloured as such.
    #expect(metadata["language_info"]?["pygments_lexer"] as? String == "text")
    let cells = try #require(notebook["cells"] as? [[String: Any]])
    let ids = try cells.map { try #require($0["id"] as? String) }
    #expect(
      Set(ids).count == ids.count && ids.allSatisfy { $0.wholeMatch(of: #/[A-Za-z0-9_-]{1,64}/#) != nil })
    #expect(
      cells.map { $0["cell_type"] as? String == "code" } == [false, true, true, true, true, true, true, true])
    func text(_ value: Any?) -> String { (value as? [String] ?? []).joined() }
    #expect(text(cells[0]["source"]).hasPrefix("# Of <b>tags</b>"))
    let own = cells.dropFirst().compactMap { $0["metadata"] as? [String: Any] }
    #expect(own.allSatisfy { ($0["vscode"] as? [String: String])?["languageId"] == "plaintext" })
    #expect(text(cells[1]["source"]).hasPrefix("%%script fettle --seed 7\nclassify <script>"))
    #expect(text(cells[2]["source"]) == "%%script fettle\npredict")
    #expect(text(cells[5]["source"]) == "%%script fettle\nfor x in A {\n  note $x\n}")
    #expect(text(cells[6]["source"]) == "%%script fettle\n# interrupted: predict")
    #expect((cells[6]["outputs"] as? [Any])?.isEmpty == true)
    let output = try #require((cells[2]["outputs"] as? [[String: Any]])?.first)
    #expect(output["output_type"] as? String == "stream" && output["name"] as? String == "stdout")
    #expect(
      text(output["text"])
        == "base predicted news: 30 assets.\n  SPORTS <b>      ~10\n  WORLD & NEWS  ~20±3\n")
    #expect((cells[7]["outputs"] as? [[String: Any]])?.first?["name"] as? String == "stderr")
  }

  @Test("This session is exported with the prose that was written into it; the export is no step of it")
  func session() throws {
    let front = try Front(tiny: false)
    try front.writeLetters()
    try front.lines("load letters.csv", "note A *first* look.", "kpi")
    #expect(try front.run("session", "export", "mine.html").output == "Exported 2 steps to mine.html.\n")
    let page = try front.read("mine.html")
    #expect(
      page.contains("<em>first</em>") && page.contains("Loaded letters: 40 assets")
        && page.contains("answer error"))
    #expect(try !front.read(".fettle/session.md").contains("export"))
    let again = try front.run("session", "export", "mine.html")
    #expect(again.status == 1 && again.error.contains("--replace"))
    #expect(try front.run("session", "export", "mine.html", "--replace").status == 0)
    #expect(try front.run("session", "export", "MINE.IPYNB").status == 0)
  }

  @Test("What cannot be exported is said: another ending, no folder, no document, a broken one")
  func mistakes() throws {
    let front = try Front(tiny: false)
    for name in ["lesson.pdf", "lesson", "html", "lesson.md"] {
      let outcome = try front.run("session", "export", name)
      #expect(outcome.status == 2)
      #expect(outcome.error.contains(".html") && outcome.error.contains(".ipynb"), "\(outcome.error)")
    }
    #expect(try front.run("session", "export", "nowhere/a.html").error.contains("does not exist"))
    #expect(
      try front.run("session", "export", "a.html", "--from", "none.md").error.contains(
        "There is no file none.md"))
    try front.write("```fettle\nno command\n```\n", to: "bad.md")
    #expect(try front.run("session", "export", "a.html", "--from", "bad.md").error.contains("line 2"))
    try front.write("Prose.\n\n```fettle\nfettle> kpi\n", to: "cut.md")
    #expect(
      try front.run("session", "export", "a.html", "--from", "cut.md").output.contains("breaks off in line 3")
    )
  }
}
