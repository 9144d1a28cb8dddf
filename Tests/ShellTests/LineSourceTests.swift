import Foundation
import Shell
import Testing

@Suite("Lines from a pipe or a file")
struct LineSourceTests {
  private func all(_ source: LineSource) throws -> [Statement] {
    var source = source
    var statements: [Statement] = []
    while let statement = try source.next() { statements.append(statement) }
    return statements
  }

  private func script(_ bytes: some Sequence<UInt8>) throws -> String {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("lines-\(UUID().uuidString)")
    try Data(bytes).write(to: url)
    return url.path
  }

  @Test("come as statements, with the numbers of their lines")
  func file() throws {
    let path = try script("\u{FEFF}load a\r\n# no\r\n\nnote \"one\ntwo\"\nfor x in A {\n kpi\n}\nstatus".utf8)
    defer { unlink(path) }
    let statements = try all(try LineSource(path: path))
    #expect(statements.map(\.source) == ["load a", "note \"one\ntwo\"", "for x in A {\n kpi\n}", "status"])
    #expect(statements.map(\.line) == [1, 4, 6, 9])
    #expect(statements[2].body?[0].line == 7)
  }

  @Test("run a line of a slow pipe before the next has come")
  func slowPipe() throws {
    var ends: [Int32] = [0, 0]
    #expect(pipe(&ends) == 0)
    var source = LineSource(descriptor: ends[0])
    write(ends[1], "load a\nkpi", 10)
    #expect(try source.next()?.source == "load a")
    write(ends[1], " --all\nnote \"x\n", 15)
    #expect(try source.next()?.source == "kpi --all")
    write(ends[1], "y\"", 2)
    close(ends[1])
    #expect(try source.next()?.source == "note \"x\ny\"")
    #expect(try source.next() == nil)
    close(ends[0])
  }

  @Test("take a time that grows with their number where a brace or a quote stays open")
  func manyOpenLines() throws {
    for (first, line, last) in [
      ("for x in 1 {", "  for y in 1 2 { expect 1 == 1 }", "}"), ("note \"one", "and \\\" more", "end\""),
    ] {
      let lines = [first] + Array(repeating: line, count: 10_000) + [last, "status"]
      let path = try script(lines.joined(separator: "\n").utf8)
      defer { unlink(path) }
      let start = ContinuousClock.now
      let statements = try all(try LineSource(path: path))
      #expect(statements.map(\.line) == [1, 10_003])
      // To read all of it anew with each line takes minutes.
      #expect(ContinuousClock.now - start < .seconds(20))
    }
  }

  @Test("end when they are cancelled, though nothing comes")
  func cancelled() throws {
    var ends: [Int32] = [0, 0]
    #expect(pipe(&ends) == 0)
    defer { for end in ends { close(end) } }
    let cancellation = Cancellation()
    var source = LineSource(descriptor: ends[0]) { cancellation.isCancelled }
    Thread.detachNewThread { cancellation.cancel() }
    #expect(try source.next() == nil)
  }

  @Test("say where an open quote was opened, and where a line is not UTF-8")
  func errors() throws {
    let open = try script("kpi\nsay \"x\ny\n".utf8)
    defer { unlink(open) }
    #expect(
      throws: LanguageError.neverClosed(
        what: "a double quote", place: .init(file: open, line: 2, column: 5, source: "say \"x"))
    ) { try all(try LineSource(path: open)) }
    let latin = try script([0x6B, 0x0A, 0x61, 0xE9, 0x0A])
    defer { unlink(latin) }
    #expect(
      throws: LanguageError.notText(.init(file: latin, line: 2, column: 2, source: "a\u{FFFD}"))
    ) { try all(try LineSource(path: latin)) }
  }

  @Test("say that a file is missing")
  func missing() {
    #expect(throws: Diagnostic.self) { try LineSource(path: "no-such-script") }
  }

  @Test("run the commands of a transcript, and do not take quoted text for a prompt")
  func transcript() throws {
    let path = try script("fettle> note \"one\n     > two\"\nnote \"a\nfettle> b\"\n".utf8)
    defer { unlink(path) }
    #expect(try all(try LineSource(path: path)).map { $0.words[1].text } == ["one\ntwo", "a\nfettle> b"])
  }
}
