import Foundation
import Testing

/// Several shells at once on one workspace: what they did replays, because the log has the order in which they read.
@Suite struct TwoShellsTests {
  private func replays(_ front: Front) throws {
    let outcome = try front.run("replay", ".fettle/session.md")
    #expect(outcome.status == 0, "\(outcome.output)\(outcome.error)")
  }

  @Test("A loop's variable is its own: what another shell sets meanwhile does not change it")
  func ownVariable() throws {
    let front = try Front()
    try front.writeLetters()
    try front.lines("load letters.csv", "interface define --from letters", "label simulate")
    let script =
      "for j in 1 2 3 {\n  finetune --method full --epochs 8\n  label set $j SPORTS --author Ada\n}\nset\n"
    try front.write(script, to: "loop.fettle")
    let running = try front.start(["run", "loop.fettle"])
    let deadline = Date.now.addingTimeInterval(60)
    while !running.soFar.contains("j = 1"), Date.now < deadline { usleep(1000) }
    for value in 50..<58 {
      try front.lines("set j \(value)")
      usleep(20_000)
    }
    let outcome = running.wait()
    #expect(outcome.status == 0, "\(outcome.error)")
    let document = try front.read(".fettle/session.md")
    for asset in 1...3 { #expect(document.contains("\n\(asset): SPORTS (Ada"), "\(document)") }
    try replays(front)
  }

  @Test("A set in the block changes the loop's variable until the next value, and set shows it")
  func ownSet() throws {
    let front = try Front(tiny: false)
    let outcome = try front.run(input: "for n in 1 2 {\n set n ${n}0\n set m m$n\n set n\n}\nset\n")
    #expect(
      outcome.lines == [
        "n = 1", "n = 10", "m = m10", "n = 10", "n = 2", "n = 20", "m = m20", "n = 20", "  m  m20", "  n  20",
      ])
    try replays(front)
  }

  @Test("Two and four shells that loop at once leave a document that replays", arguments: [2, 4])
  func loops(shells: Int) throws {
    let front = try Front()
    try front.writeLetters()
    try front.lines(
      "load letters.csv", "interface define --from letters", "label simulate", "predict --model base",
      "set x 0")
    let values = (1...8).map(String.init).joined(separator: " ")
    let running = try (0..<shells).map { shell in
      let own = "for i in \(values) { set x \(shell)-$i ; label set $i SPORTS --author a$x }"
        .replacing(" ; ", with: "\n")
      let plain = (1...8).flatMap { turn in
        ["set x \(shell)-\(turn)", "set y $x", "expect $x == $x", "label set \(turn) SPORTS --author b$y"]
      }
      let kpi =
        "for i in \(values) {\n kpi --model base\n expect $kpi.accuracy >= 0\n expect $kpi.accuracy < 2\n}"
      let lines = shell % 2 == 0 ? [own, kpi] : plain + ["finetune --method linear", "status"]
      return try front.start([], input: lines.joined(separator: "\n") + "\n")
    }
    for shell in running {
      let outcome = shell.wait()
      #expect(outcome.status == 0, "\(outcome.error)")
    }
    try replays(front)
  }

  @Test("A seed that another shell sets meanwhile is the seed of what is logged after it")
  func seeds() throws {
    let front = try Front()
    try front.writeLetters()
    try front.lines("load letters.csv", "interface define --from letters")
    let seeds = (1...60).map { "config seed \($0)" }
    let labels = (1...40).map { _ in "label simulate --noise 0.4" }
    let running = try [seeds, labels].map { lines in
      try front.start([], input: lines.joined(separator: "\n") + "\n")
    }
    for shell in running {
      let outcome = shell.wait()
      #expect(outcome.status == 0, "\(outcome.error)")
    }
    try replays(front)
  }
}
