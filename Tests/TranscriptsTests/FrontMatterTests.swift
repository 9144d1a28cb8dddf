import Testing
import Transcripts

@Suite("Front matter")
struct FrontMatterTests {
  private func parse(_ yaml: String) throws -> FrontMatter {
    try Document(parsing: "---\n\(yaml)\n---\nProse\n", file: "lesson.md").frontMatter
  }

  @Test("gives what it gives, and defaults for the rest")
  func values() throws {
    #expect(try parse("") == FrontMatter(fettle: "0.1.0", seed: 42, precision: .f32, root: "."))
    #expect(try parse("# a comment") == FrontMatter())
    #expect(try parse("seed: 18446744073709551615").seed == UInt64.max)
    #expect(try parse("fettle: 0.2\nroot: \"../..\"") == FrontMatter(fettle: "0.2", root: "../.."))
    #expect(try parse("{seed: 3, precision: bf16}") == FrontMatter(seed: 3, precision: .bf16))
  }

  @Test(
    "that is wrong is refused, with the line",
    arguments: [
      ("seed: 1\nsede: 2", DocumentError.Kind.unknownKey("sede"), 3),
      ("seed: 1\nseed: 2", .repeatedKey("seed"), 2),
      (
        "root: .\n\nseed: -1",
        .badValue(key: "seed", value: "-1", expected: "a whole number, 0 or more, such as 42"), 4
      ),
      (
        "seed: 1.5", .badValue(key: "seed", value: "1.5", expected: "a whole number, 0 or more, such as 42"),
        2
      ),
      ("seed:", .badValue(key: "seed", value: "", expected: "a whole number, 0 or more, such as 42"), 2),
      ("precision: f16", .badValue(key: "precision", value: "f16", expected: "f32, bf16 or auto"), 2),
      (
        "root: [a, b]",
        .badValue(key: "root", value: "a list", expected: "a folder, relative to the document"), 2
      ),
      ("just words", .malformedFrontMatter, 2),
      ("- seed", .malformedFrontMatter, 2),
      ("seed: 1\n  root: [", .malformedFrontMatter, 3),
      ("seed: 1\nroot: \"open", .malformedFrontMatter, 3),
      ("seed: *nowhere", .malformedFrontMatter, 2),
      ("? [a]\n: b", .malformedFrontMatter, 2),
    ])
  func errors(yaml: String, kind: DocumentError.Kind, line: Int) {
    let error = #expect(throws: DocumentError.self) { try parse(yaml) }
    #expect(error?.kind == kind)
    #expect(error?.line == line)
    #expect(error?.file == "lesson.md")
    #expect(error?.code == "bad-front-matter")
  }

  @Test("that has no end is refused")
  func open() {
    #expect(throws: DocumentError(.openFrontMatter, file: nil, line: 1)) {
      try Document(parsing: "---\nseed: 1\n\n# Title\n")
    }
  }

  @Test("is written plainly where it can be, and reads back whatever it holds")
  func roundTrip() throws {
    #expect(
      FrontMatter(root: "../Lessons").text
        == "---\nfettle: 0.1.0\nseed: 42\nprecision: f32\nroot: ../Lessons\n---\n")
    for root in [
      ".", "..", "a b", "a: b", "# no", "~", "null", "-", "--- x", "\"", "\\", "café", "a\tb\nc", "",
      "\u{2028}", "𝄞",
    ]
    where !root.isEmpty {
      let frontMatter = FrontMatter(fettle: "1.0 (β)", seed: 1, precision: .bf16, root: root)
      #expect(try Document(parsing: frontMatter.text).frontMatter == frontMatter)
    }
  }

  @Test("stays as it was written until it is changed")
  func changes() throws {
    let text = "---\nseed:   9 # mine\n---\nProse\n"
    var document = try Document(parsing: text)
    document.frontMatter.seed = 9
    #expect(document.text == text)
    document.frontMatter.seed = 10
    #expect(document.text == "---\nfettle: 0.1.0\nseed: 10\nprecision: f32\nroot: .\n---\nProse\n")
  }
}
