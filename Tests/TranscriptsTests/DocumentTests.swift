import Testing
import Transcripts

@Suite("A document")
struct DocumentTests {
  static let tutorial = """
    ---
    fettle: 0.1.0
    seed: 7
    precision: bf16
    root: ..
    ---
    # A news classifier in nine steps

    Prose is whatever stands outside the fences.

    ```fettle
    fettle> load Samples/news-1.csv
    Loaded news-1: 200 assets, 8 categories, 25 each (sha256 3f9c…).
    ```

    ```json
    fettle> this is an example, not a step
    ```

    ```fettle
    fettle> kpi
    base on news-1: 200 assets, truth from labels by simulated
      agree     ~118
      accuracy  ~0.590   (95 % ~0.521 to ~0.656)
    ~ most often confused: WORLD NEWS taken for POLITICS (9)
    ```

    """

  @Test("is front matter, prose and steps")
  func parts() throws {
    let document = try Document(parsing: Self.tutorial)
    #expect(document.frontMatter == FrontMatter(fettle: "0.1.0", seed: 7, precision: .bf16, root: ".."))
    #expect(document.breaksOff == nil)
    #expect(document.steps.map(\.command) == ["load Samples/news-1.csv", "kpi"])
    #expect(document.steps.map(\.line) == [12, 21])
    #expect(document.steps[1].answerLine == 22)
    #expect(document.steps[1].answer[1] == "  agree     ~118")
    #expect(document.parts.count == 4)
    #expect(document.parts[2] == .prose("\n```json\nfettle> this is an example, not a step\n```\n\n"))
  }

  @Test("is written as it was read")
  func identity() throws {
    #expect(try Document(parsing: Self.tutorial).text == Self.tutorial)
  }

  @Test(
    "may be nothing, or nothing but prose",
    arguments: ["", "\n", "Prose.", "# Title\n\nProse\n\n", "- - -\n", "----\n"])
  func prose(text: String) throws {
    let document = try Document(parsing: text)
    #expect(document.frontMatter == FrontMatter())
    #expect(document.text == text)
    #expect(document.steps.isEmpty)
  }

  @Test("has steps in fences of any kind that Markdown knows")
  func fences() throws {
    let text = """
      ~~~fettle
      fettle> one
      ```
      a fence in an answer
      ```
      ~~~

      `````  fettle  title
      fettle> two
      ````
      ``````

         ```fettle
         fettle> three
           indented
         answer
        ```
      after
      """
    let document = try Document(parsing: text)
    #expect(document.steps.map(\.command) == ["one", "two", "three"])
    #expect(document.steps[0].answer == ["```", "a fence in an answer", "```"])
    #expect(document.steps[1].answer == ["````"])
    #expect(document.steps[2].answer == ["  indented", "answer"])
    #expect(document.parts.last == .prose("after"))
    #expect(document.text == text)
  }

  @Test(
    "takes for prose what Markdown does not take for a fence of fettle",
    arguments: [
      "    ```fettle\n    fettle> one\n    ```\n", "\t```fettle\nfettle> one\n",
      "``fettle\nfettle> one\n``\n",
      "```fettle> one```\n", "```\nfettle> one\n```\n", "```fettlex\nfettle> one\n```\n",
      "> ```fettle\n> fettle> one\n> ```\n", "````md\n```fettle\nfettle> one\n```\n````\n", "fettle> one\n",
      "```fettle\n\n```\n", "<!--\n```fettle\nfettle> one\n```\n-->\n", "<!-- ```fettle -->\n",
    ])
  func notSteps(text: String) throws {
    let document = try Document(parsing: text)
    #expect(document.steps.isEmpty)
    #expect(document.breaksOff == nil)
    #expect(document.parts == [.prose(text)])
  }

  @Test(
    "knows the fences in quotes and list items that its author may take for steps",
    arguments: [
      ("> ```fettle\n> fettle> one\n> ```\n", [1]), ("- ```fettle\n  fettle> one\n  ```\n", [1]),
      ("10. Do\n\n    ```fettle\n    fettle> one\n    ```\n", [3]),
      ("- a\n  - b\n\n    ~~~ fettle\n    fettle> one\n    ~~~\n", [4]),
      ("> - a\n>\n>   ```fettle\n>   fettle> one\n>   ```\n", [3]),
      ("-\ta\n\n\t```fettle\n\tfettle> one\n\t```\n", [3]),
      ("- a\nlazy\n    ```fettle\n    fettle> one\n    ```\n", [3]),
      ("```Fettle\nfettle> one\n```\n", [1]), ("```Fettle\nno command\n```\n", []),
      ("10. Do\n\nText\n\n    ```fettle\n    code\n", []), ("> ```json\n> ```fettle\n> ```\n", []),
      ("- - -\n\n    ```fettle\n", []), ("-a\n\n    ```fettle\n", []), ("2020-01. x\n\n     ```fettle\n", []),
      ("> ```\n\n```fettle\nfettle> two\n```\n", []),
    ])
  func passedOver(text: String, lines: [Int]) throws {
    let document = try Document(parsing: text)
    #expect(document.passedOver.map(\.line) == lines)
    #expect(document.breaksOff == nil)
    #expect(document.text == text)
  }

  @Test("is told that its front matter is none, where it is lists in lists")
  func deepFrontMatter() {
    for text in [String(repeating: "[", count: 50_000), String(repeating: "- ", count: 4_000)] {
      #expect(throws: DocumentError.self) { try Document(parsing: "---\nroot: \(text)\n---\n") }
    }
  }

  @Test("has several commands in one fence, several lines in one command, and interrupted ones")
  func commands() throws {
    let document = try Document(
      parsing: """
        ```fettle

        fettle> load a
        Loaded.

        fettle> for f in A B {
             >   load $f
             >
             > }
        Looped.
             > not a command
        # interrupted: predict
        half a line
        fettle>
        ```
        """)
    #expect(
      document.steps == [
        Step(command: "load a", answer: ["Loaded.", ""], line: 3),
        Step(
          command: "for f in A B {\n  load $f\n\n}", answer: ["Looped.", "     > not a command"], line: 6),
        Step(command: "predict", answer: ["half a line"], line: 12, isInterrupted: true),
        Step(command: "", answer: [], line: 14),
      ])
    #expect(document.steps[1].answerLine == 10)
  }

  @Test("may have Windows line ends and a byte order mark, and keeps both")
  func windows() throws {
    let text =
      "\u{FEFF}"
      + Self.tutorial.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\r\n")
    let document = try Document(parsing: text)
    #expect(document.steps == (try Document(parsing: Self.tutorial)).steps)
    #expect(document.frontMatter.seed == 7)
    #expect(document.text == text)
  }

  @Test(
    "that breaks off in a fence is read up to it",
    arguments: [
      ("```fettle\nfettle> one\n```\n\n```fettle\nfettle> two\nfettle> three\nhalf", 5),
      ("```fettle\nfettle> one\n```\n```json\n{\n\n```fettle\nfettle> two\n", 4),
      ("```fettle\nfettle> one\n```\n<!-- and\n\n```fettle\nfettle> two\n```\n", 4),
      ("```fettle\nfettle> one\n```\n````fettle\nfettle> two\n```\n", 4),
    ])
  func breaksOff(text: String, line: Int) throws {
    let document = try Document(parsing: text)
    #expect(document.breaksOff == line)
    #expect(document.steps.map(\.command) == ["one"])
    #expect(document.text == text)
  }

  @Test("whose fence begins with no command is refused, with the line")
  func answerFirst() {
    let error = #expect(throws: DocumentError.self) {
      try Document(parsing: "Prose\n```fettle\n\nload a\n```\n", file: "lesson.md")
    }
    #expect(error == DocumentError(.answerWithoutCommand("load a"), file: "lesson.md", line: 4))
    #expect(error?.code == "bad-fence")
    #expect(
      error?.description.hasPrefix("lesson.md, line 4: This fettle fence begins with \"load a\"") == true)
  }
}
