import Shell
import Testing

@Suite("The language's statements")
struct StatementTests {
  @Test(
    "stand one a line; empty lines and comments are none; Windows line ends and a byte order mark do not matter"
  )
  func lines() throws {
    let statements = try Language.statements("\u{FEFF}load a\r\n\r\n  # load b\rkpi # 1\n\tstatus")
    #expect(statements.map(\.source) == ["load a", "kpi # 1", "status"])
    #expect(statements.map(\.line) == [1, 4, 5])
    #expect(statements[2].words[0].column == 2)
    #expect(statements[1].words.map(\.text) == ["kpi", "#", "1"])
  }

  @Test(
    "go on while something is open, and say what",
    arguments: [
      ("say \"one", "a double quote", 1, 5), ("say x\nsay “one\ntwo", "a curly quote", 2, 5),
      ("load \\", "a backslash", 1, 6), ("for x in A {", "a brace", 1, 12),
      ("for x in A {\n say \"b", "a double quote", 2, 6),
      ("for x in A {\n say b }\nfor y in B {", "a brace", 3, 12),
    ])
  func open(source: String, what: String, line: Int, column: Int) throws {
    #expect(try Language.parse(source) == .incomplete(.init(what: what, line: line, column: column)))
  }

  @Test("may have several lines in a double quote, after a backslash and in braces")
  func multiline() throws {
    let statements = try Language.statements("note \"one\n\n  # two\"\nload \\\n  a.csv\nkpi")
    #expect(
      statements.map { $0.words.map(\.text) } == [["note", "one\n\n  # two"], ["load", "a.csv"], ["kpi"]])
    #expect(statements.map(\.source) == ["note \"one\n\n  # two\"", "load \\\n  a.csv", "kpi"])
    #expect(statements.map(\.line) == [1, 4, 6])
    #expect(statements[1].words[1].line == 5)
    #expect(statements[1].words[1].column == 3)
  }

  @Test(
    "hold a block where `for` has one, on one line or on several",
    arguments: [
      "for x in A B { load $x.csv }", "for x in A B {\n  load $x.csv\n}",
      "for x in A B {\n# why\n\n  load $x.csv }\n",
    ])
  func blocks(source: String) throws {
    let statements = try Language.statements(source)
    #expect(statements.count == 1)
    #expect(statements[0].words.map(\.text) == ["for", "x", "in", "A", "B"])
    let body = try #require(statements[0].body)
    #expect(body.map(\.source) == ["load $x.csv"])
    #expect(statements[0].source == source.trimmingBlanks)
  }

  @Test("nest blocks")
  func nested() throws {
    let statements = try Language.statements("for x in A {\n for y in B { say $x $y }\n kpi\n}\nstatus")
    #expect(statements.map(\.source).last == "status")
    let body = try #require(statements[0].body)
    #expect(body.map { $0.words[0].text } == ["for", "kpi"])
    #expect(body[0].body?.map(\.source) == ["say $x $y"])
    #expect(body[1].line == 3)
  }

  @Test("take braces for text wherever no `for` stands first")
  func plainBraces() throws {
    #expect(try Language.statements("say { a }")[0].words.map(\.text) == ["say", "{", "a", "}"])
    #expect(try Language.statements("for \"{\" {y} x")[0].words.count == 4)
  }

  @Test("run just the commands of a paste")
  func paste() throws {
    let paste = """
      Some prose, with a "quote.
      fettle> load a.csv
      Loaded a: 3 assets.
           > this is an answer
      fettle> note "one
           > two"
      fettle>
        fettle> kpi
      """
    let statements = try Language.statements(paste)
    #expect(statements.map(\.source) == ["load a.csv", "note \"one\ntwo\"", "kpi"])
    #expect(statements.map(\.line) == [2, 5, 8])
    #expect(statements[0].words[1].column == 14)
    #expect(statements[0].physicalLines == ["fettle> load a.csv"])
  }

  @Test("run a paste whose Windows line ends a terminal has made two of")
  func doubledLineEnds() throws {
    let paste = "fettle> for n in 1 2 {\n\n     >   say $n\n\n     > }\n\nn = 1\n\nfettle> kpi\n\n"
    let statements = try Language.statements(paste)
    #expect(statements.map { $0.words[0].text } == ["for", "kpi"])
    #expect(statements[0].body?.count == 1)
  }

  @Test("leave a line that looks like a prompt alone where no paste can be")
  func noPaste() throws {
    let statements = try Language.statements("note \"a\nfettle> b\"", extractingPrompts: false)
    #expect(statements.map { $0.words.map(\.text) } == [["note", "a\nfettle> b"]])
  }

  @Test("name the place of what is wrong, with the line for a caret")
  func errors() throws {
    func error(_ source: String) -> LanguageError? {
      #expect(throws: LanguageError.self) { try Language.statements(source, file: "lesson") }
    }
    #expect(
      error("kpi\nsay \"x\n")
        == .neverClosed(
          what: "a double quote", place: .init(file: "lesson", line: 2, column: 5, source: "say \"x")))
    #expect(error("kpi\n } x") == .strayBrace(.init(file: "lesson", line: 2, column: 2, source: " } x")))
    #expect(
      error("for x in A { kpi } then")
        == .wordsAfterBrace(
          "then", place: .init(file: "lesson", line: 1, column: 20, source: "for x in A { kpi } then")))
    #expect(
      error("fettle> say \"x\nfettle> kpi")
        == .neverClosed(
          what: "a double quote", place: .init(file: "lesson", line: 1, column: 13, source: "fettle> say \"x")
        ))
    let deep = String(repeating: "for x in A {\n", count: 5_000)
    #expect(error(deep)?.code == "too-deep")
    #expect(error(deep)?.diagnostic.exitStatus == 2)
  }

  @Test("look a name of very many parts up by its first ones alone")
  func manyParts() throws {
    let name = "kpi" + String(repeating: ".accuracy", count: 20_000)
    let word = try #require(try Language.statements("note $\(name)").first?.words.last)
    var asked: [String] = []
    let text = word.expanded { name in
      asked.append(name)
      return name == "kpi.accuracy" ? "0.7" : nil
    }
    #expect(text == "0.7" + String(repeating: ".accuracy", count: 19_999))
    #expect(asked.count < 20)
  }

  @Test("never crash on garbage")
  func garbage() throws {
    let alphabet = Array("ab \t\n\r\"'“”‘’\\$${}#-—–=.f>or\u{301}東\u{A0}\u{200B}\u{2212}5")
    var generator = Seeded(state: 42)
    for _ in 0..<5_000 {
      let length = Int.random(in: 0...40, using: &generator)
      let text = String(
        (0..<length).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &generator)] })
      for source in [text, "for x {" + text, "fettle> " + text] {
        let lines = source.split(omittingEmptySubsequences: false) { $0.isNewline }.count
        do {
          switch try Language.parse(source) {
          case .incomplete(let open): #expect((1...lines).contains(open.line) && open.column >= 1)
          case .complete(let statements):
            for statement in statements {
              #expect((1...lines).contains(statement.line))
              _ = statement.text(from: 1) { _ in "v" }
              _ = Claim(statement.words).map { try? $0.evaluate { _ in "1" } }
              // What is recorded of it reads back as the same.
              let again = try Language.statements(statement.source, extractingPrompts: false)
              #expect(
                again.map { $0.words.map(\.pieces) } == [statement.words.map(\.pieces)],
                "\(source.debugDescription)")
            }
          }
        } catch let error as LanguageError {
          #expect((1...lines).contains(error.line) && error.column >= 1, "\(source.debugDescription)")
        }
      }
    }
  }
}

/// A small generator whose numbers are the same everywhere (Steele, Lea and Flood 2014, SplitMix64).
struct Seeded: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

extension String {
  fileprivate var trimmingBlanks: String {
    var text = self[...]
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }
}
