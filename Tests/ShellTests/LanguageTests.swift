import Shell
import Testing

/// The words of a text that is one statement, as a verb gets them; `$name` knows `name`, `file` and `kpi.accuracy`.
private func words(_ source: String) throws -> [String] {
  let values = ["name": "value", "file": "news", "kpi.accuracy": "0.59", "kpi.readers.desk-2": "31"]
  return try Language.statements(source).flatMap(\.words).map { $0.expanded { values[$0] } }
}

@Suite("The language's words")
struct LanguageTests {
  @Test(
    "are parted by blanks, as in a POSIX shell",
    arguments: [
      ("load a.csv  --sample 5", ["load", "a.csv", "--sample", "5"]),
      ("\tload\t a.csv \t", ["load", "a.csv"]),
      (#"load "two words.csv""#, ["load", "two words.csv"]),
      ("load 'two words.csv'", ["load", "two words.csv"]),
      (#"load two\ words.csv"#, ["load", "two words.csv"]),
      (#"load "two words".csv"#, ["load", "two words.csv"]),
      (#"load x --name="my set""#, ["load", "x", "--name=my set"]),
      (#"say """#, ["say", ""]), ("say ''", ["say", ""]),
      (#"say "a \"b\" \\ \$name""#, ["say", #"a "b" \ $name"#]),
      (#"say "a ""b"" c""#, ["say", #"a "b" c"#]),
      (#"load C:\data\new.csv"#, ["load", #"C:\data\new.csv"#]),
      (#"say "C:\data""#, ["say", #"C:\data"#]),
      ("load\u{A0}a.csv", ["load", "a.csv"]),
    ])
  func posix(source: String, expected: [String]) throws {
    #expect(try words(source) == expected)
  }

  @Test(
    "are kind to headlines: a quote opens only at the start of a word",
    arguments: [
      "classify Chipmaker's shares fall", "classify The players' choice", "classify A 27\" screen for $500",
      "classify 5'11\" tall", "classify Why #MeToo and the #1 hit matter",
      "classify 50% (half) of it; more & more",
      "classify 'Tis the season", "classify ’90s hits return", "classify Rock ’n’ roll",
      "classify '90s and '80s",
      "classify Don't, won't, can't", "classify a < b > c | d * ? ~ ! [x] {y}", "classify Grüße aus 東京 ☕",
      "classify $500 or $1.50 or US$ or $ alone", "classify name=\"x", "classify - dash – and — dashes",
    ])
  func headlines(source: String) throws {
    #expect(try words(source).joined(separator: " ") == source)
  }

  @Test(
    "pair curly quotes like straight ones",
    arguments: [
      ("define “A, B, C”", ["define", "A, B, C"]), ("define ‘A, B’", ["define", "A, B"]),
      ("define „A, B“", ["define", "A, B"]), ("define ”A, B”", ["define", "A, B"]),
      ("define “it’s “A”", ["define", "it’s “A"]), ("define ‘it’s here’", ["define", "it’s here"]),
    ])
  func curly(source: String, expected: [String]) throws {
    #expect(try words(source) == expected)
  }

  @Test(
    "close a single quote where no letter follows, on its line, else it is an apostrophe",
    arguments: [
      ("say 'It's here'", ["say", "It's here"]), ("say 'tis so", ["say", "'tis", "so"]),
      ("say 'a' 'b'", ["say", "a", "b"]), ("say ' a '", ["say", " a "]),
      ("say 'tis\nsay x'", ["say", "'tis", "say", "x'"]),
    ])
  func apostrophes(source: String, expected: [String]) throws {
    #expect(try words(source) == expected)
  }

  @Test(
    "expand $names that exist, and no others, and none in single quotes",
    arguments: [
      ("say $name", ["say", "value"]), ("say $kpi.accuracy.", ["say", "0.59."]),
      ("load $file.csv", ["load", "news.csv"]), ("say ${name}s", ["say", "values"]),
      ("say $nobody.there", ["say", "$nobody.there"]), ("say ${nobody}", ["say", "${nobody}"]),
      ("say \"$name, $name\"", ["say", "value, value"]), ("say '$name'", ["say", "$name"]),
      ("say \\$name", ["say", "$name"]), ("say a$name-b", ["say", "avalue-b"]),
      ("say ${kpi.readers.desk-2}-", ["say", "31-"]),
    ])
  func variables(source: String, expected: [String]) throws {
    #expect(try words(source) == expected)
  }

  @Test(
    "turn the dashes of slides into those of options",
    arguments: [
      ("load x —sample 5", ["load", "x", "--sample", "5"]),
      ("load x –sample 5", ["load", "x", "--sample", "5"]),
      ("set x \u{2212}5", ["set", "x", "-5"]), ("set x –5", ["set", "x", "-5"]),
      ("set x -5", ["set", "x", "-5"]),
      ("say war—and peace", ["say", "war—and", "peace"]), ("say “—sample”", ["say", "—sample"]),
    ])
  func dashes(source: String, expected: [String]) throws {
    #expect(try words(source) == expected)
  }

  @Test("tell an option from a quoted value that begins with a dash")
  func options() throws {
    let words = try Language.statements(#"set --loud "-5" '--x' $name -5"#)[0].words
    #expect(words.map(\.isOption) == [false, true, false, false, false, true])
    #expect(words.map(\.isQuoted) == [false, false, true, true, false, false])
  }

  @Test(
    "give the rest of a line as it was typed",
    arguments: [
      (#"classify She said "no"  twice"#, #"She said "no"  twice"#), (#"classify "No deal""#, "No deal"),
      (#"classify "No deal" it is"#, #""No deal" it is"#),
      ("classify 'Tis  the players' choice", "'Tis  the players' choice"),
      ("classify Storm —three dead— hits $name", "Storm —three dead— hits value"),
      ("classify “a\nb” c", "“a\nb” c"), ("classify", ""),
    ])
  func rest(source: String, expected: String) throws {
    let statement = try #require(try Language.statements(source).first)
    #expect(statement.text(from: 1) { $0 == "name" ? "value" : nil } == expected)
  }

  @Test("quotes a text so that it reads back as itself")
  func quoting() throws {
    for text in [
      "plain", "two words", "", "-5", "it's", "'tis", "\"x\"", "$name", "a\\b", "a\\", "#1", "{", "}", "“x”",
      "two\nlines", "C:\\data ", "—x", "–5", "\\\"", "'a b'", "\t", "for", "Chipmaker's $5",
    ] {
      let statements = try Language.statements("say " + Language.quoted(text), extractingPrompts: false)
      #expect(statements.count == 1)
      #expect(statements[0].words.dropFirst().map(\.text) == [text], "of \(text)")
      #expect(statements[0].words.last?.isOption == false)
    }
    #expect(Language.quoted("news-1.csv") == "news-1.csv")
  }
}
