import Foundation
import PseudoTerminal
import Testing

/// `status` and `models`: where one stands, also in a narrow window.
@Suite struct OverviewTests {
  @Test("status says of which data set it counts labels and predictions")
  func status() throws {
    let front = try Front()
    try front.writeLetters()
    try front.writeLetters(to: "more.csv", offset: 100)
    try front.lines("load letters.csv", "interface define --from letters", "label simulate", "predict")
    let first = try front.run("status").output
    #expect(first.contains("  labels        of letters: 40 by simulated\n"), "\(first)")
    #expect(first.contains("  predictions   of letters: by base\n"), "\(first)")
    try front.lines("load more.csv")
    let second = try front.run("status").output
    #expect(second.contains("  labels        of more: none\n  predictions   of more: none\n"), "\(second)")
  }

  @Test("models in a narrow window: no name is cut", arguments: [50, 40])
  func narrow(columns: Int) throws {
    let front = try Front()
    try front.writeLetters(to: "customer-letters.csv")
    let names = ["customer-letters-by-category-first", "customer-letters-by-category-again"]
    try front.lines("load customer-letters.csv", "interface define --from customer-letters", "label simulate")
    for name in names { try front.lines("finetune --method linear --name \(name)") }
    let terminal = try front.prompt(columns: columns)
    terminal.type("models\n")
    try terminal.waitForScreen("three models") { $0.text.contains("gain") && $0.cursorLine == "fettle>" }
    // Too narrow for a row's numbers beside a name that is typed: each row is a list, under its whole name.
    #expect(names.allSatisfy { terminal.screen.lines.contains("  \($0)") }, "\(terminal.screen.text)")
    #expect(terminal.screen.lines.count { $0.hasPrefix("    on disk ") } == 2, "\(terminal.screen.text)")
  }
}
