/// Reads the notebook's own form, `text|CATEGORY`: no header, no quoting, the last `|` splits.
struct PipeReader: RowReader {
  private var window: TextWindow
  private let needsCategories: Bool
  private var maker = RowMaker()

  init(_ window: TextWindow, needsCategories: Bool) {
    self.window = window
    self.needsCategories = needsCategories
  }

  var offset: Int { window.offset }

  mutating func next() throws -> AssetRow? {
    while let (line, next) = try window.nextLine() {
      defer { window.advance(to: next, lines: 1) }
      if window.bytes[line].allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { continue }
      maker.begin()
      if let damage = window.damage(before: next) { throw damage }
      guard let split = window.bytes[line].lastIndex(of: UInt8(ascii: "|")) else {
        throw window.badRow(at: line.upperBound, expected: "text|CATEGORY, found no |")
      }
      let text = window.text(line.lowerBound..<split)
      let category = String(window.text(split + 1..<line.upperBound).trimmingBlanks)
      if text.isBlank {
        throw window.badRow(at: line.lowerBound, expected: "a text before the |, found none")
      }
      if category.isEmpty, needsCategories {
        throw window.badRow(at: split + 1, expected: "a category after the |, found none")
      }
      return maker.row(
        line: window.line, identifier: nil, text: text, category: category.isEmpty ? nil : category)
    }
    return nil
  }
}
