import Testing
import Transcripts

@Suite("Any text at all")
struct FuzzTests {
  /// Reads the text; where it is a document, nothing of it may be lost, and reading it again changes nothing.
  private func check(_ text: String) throws {
    guard let document = try? Document(parsing: text) else { return }
    #expect(document.text.utf8.elementsEqual(text.utf8))
    let again = try Document(parsing: document.text)
    #expect(again == document)
    for step in document.steps {
      #expect(Comparison(of: step, with: Answer(step.answer.map(Line.recorded))).differences.isEmpty)
    }
    let new = Answer([Line([.text("new")]), Line([.text("```")])])
    let updated = document.updated(with: document.steps.map { _ in new })
    #expect(updated.steps.map(\.command) == document.steps.map(\.command))
    for step in updated.steps where !step.isInterrupted {
      #expect(Comparison(of: step, with: new).differences.isEmpty)
    }
  }

  @Test("cut at every byte, a document keeps what it has")
  func truncated() throws {
    for text in [DocumentTests.tutorial, WriterTests.text] {
      let whole = try Document(parsing: text)
      for length in 0...text.utf8.count {
        let cut = String(decoding: text.utf8.prefix(length), as: UTF8.self)
        try check(cut)
        guard let document = try? Document(parsing: cut) else { continue }
        // A cut fence is not a step; those before it are as they were.
        #expect(document.steps == Array(whole.steps.prefix(document.steps.count)))
      }
    }
  }

  @Test("lines that mean something, in any order", arguments: 0..<400)
  func lines(seed: Int) throws {
    var generator = SeededGenerator(seed: UInt64(seed))
    let ends = ["\n", "\n", "\n", "\r\n", "\r\r\n", "\r"]
    var text = ["", "\u{FEFF}", "---\nseed: 1\n---\n", "---\n"].randomElement(using: &generator) ?? ""
    for _ in 0..<Int.random(in: 0...30, using: &generator) {
      let line = Bool.random(using: &generator) ? ["```fettle", "```", "fettle> kpi"] : nastyLines
      text += (line.randomElement(using: &generator) ?? "") + (ends.randomElement(using: &generator) ?? "")
    }
    try check(text)
  }

  @Test("bytes that mean nothing", arguments: 0..<200)
  func bytes(seed: Int) throws {
    var generator = SeededGenerator(seed: UInt64(seed))
    let alphabet = Array("`~-\n\r \t>\\#fetl:é<!".utf8) + [0xFF, 0xC3, 0x00]
    let bytes = (0..<300).map { _ in alphabet.randomElement(using: &generator) ?? 0 }
    try check(String(decoding: bytes, as: UTF8.self))
  }
}

extension Line {
  /// A line that a document's line agrees with.
  static func recorded(_ text: String) -> Line {
    if text == "~" { return Line([], isDerived: true) }
    if text.utf8.starts(with: "~ ".utf8) { return Line([.text(String(text.dropFirst(2)))], isDerived: true) }
    let slashes = text.prefix { $0 == "\\" }
    let rest = text.dropFirst(slashes.count)
    let isEscaped = !slashes.isEmpty && (rest == "~" || rest.utf8.starts(with: "~ ".utf8))
    return Line([.text(isEscaped ? String(text.dropFirst()) : text)])
  }
}
