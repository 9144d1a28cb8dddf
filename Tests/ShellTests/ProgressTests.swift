import Foundation
import PseudoTerminal
import Shell
import Testing

@Suite("Progress")
struct ProgressTests {
  private func drawing(done: Int, total: Int, after seconds: Double, note: String? = nil) -> ProgressDrawing {
    var drawing = ProgressDrawing()
    drawing.update(done: 0, total: total, unit: "assets", note: nil, at: 100)
    drawing.update(done: done, total: total, unit: "assets", note: note, at: 100 + seconds)
    return drawing
  }

  @Test("shows how much is done, how fast, and how long the rest takes")
  func line() {
    let line = drawing(done: 480, total: 800, after: 2, note: "loss 0.61").line(
      width: 79, unicode: false, at: 102)
    #expect(line == "[################           ] 480/800 assets  60 %  240/s  2 s left  loss 0.61")
    #expect(line.count <= 79)
  }

  @Test("fits any width", arguments: [10, 20, 40, 80, 200])
  func widths(width: Int) {
    let drawing = drawing(done: 480, total: 800, after: 2, note: "loss 0.61")
    for unicode in [true, false] {
      #expect(drawing.line(width: width, unicode: unicode, at: 102).count <= width)
    }
  }

  @Test(
    "counts the time left in words",
    arguments: [(1, "1 min 39 s left"), (10, "9 s left"), (100, nil)] as [(Int, String?)])
  func timeLeft(done: Int, text: String?) {
    let line = drawing(done: done, total: 100, after: 1).plain(at: 101)
    #expect(line.contains(text ?? "100 %") && line.contains("left") == (text != nil))
  }

  @Test("does without a total, and without a rate before it can be told")
  func unknowns() {
    var drawing = drawing(done: 480, total: 0, after: 2)
    #expect(drawing.line(width: 80, unicode: true, at: 102) == "480 assets  240/s")
    drawing.update(done: 0, total: 5, unit: "epochs", note: nil, at: 103)
    #expect(drawing.plain(at: 103) == "0/5 epochs  0 %")
  }

  @Test("follows a change of speed within seconds")
  func recent() throws {
    var drawing = ProgressDrawing()
    for second in 0...20 {
      let done = second <= 10 ? second * 100 : 1000 + (second - 10) * 10
      drawing.update(done: done, total: 2000, unit: "assets", note: nil, at: Double(second))
    }
    let rate = try #require(drawing.rate(at: 20))
    #expect(rate < 25)
  }

  @Test("says nothing where there is no terminal")
  func silent() throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("progress-\(UUID().uuidString)")
    let descriptor = open(file.path, O_RDWR | O_CREAT, 0o600)
    defer {
      close(descriptor)
      unlink(file.path)
    }
    let progress = Progress(terminal: Terminal(descriptor: descriptor, environment: ["TERM": "xterm"]))
    progress.update(done: 0, total: 2, unit: "assets")
    progress.message("said")
    progress.finish()
    #expect(try String(contentsOf: file, encoding: .utf8) == "said\n")
  }

  @Test("knows what a terminal can show")
  func terminals() {
    let pipe = Terminal(descriptor: -1, environment: ["TERM": "xterm", "LANG": "de_DE.UTF-8"])
    #expect(!pipe.isTerminal && !pipe.colour && pipe.unicode && pipe.width == 80)
    #expect(Terminal(descriptor: -1, environment: ["LC_ALL": "C", "LANG": "de_DE.UTF-8"]).unicode == false)
    #expect(Terminal(descriptor: -1, environment: ["TERM": "dumb"]).isDumb)
    #expect(Terminal(descriptor: -1, environment: [:]).isDumb)
  }
}
