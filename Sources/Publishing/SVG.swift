import Foundation

/// Plots as SVG, in the page's own colours, so that they are light and dark with it. Lengths are pixels or shares of the width: the
/// letters keep their size on a phone.
enum SVG {
  static func draw(_ plot: Plot) -> String {
    switch plot {
    case .bars(let bars): draw(bars)
    case .curve(let title, let values): draw(title, values)
    case .matrix(let names, let counts): draw(names, counts)
    }
  }

  private static func draw(_ bars: [Plot.Bar]) -> String {
    let most = bars.map(\.value).max() ?? 0
    let row = 38
    let label = bars.map { "\($0.name) \($0.written)" }.joined(separator: ", ")
    var svg = open(label, width: "100%", height: bars.count * row)
    for (index, bar) in bars.enumerated() {
      let top = index * row
      let share = most > 0 ? max(0, bar.value) / most : 0
      svg += """
        <text x="0" y="\(top + 14)">\(escaped(bar.name))</text>\
        <text x="100%" y="\(top + 14)" class="end number">\(escaped(bar.written))</text>\
        <rect x="0" y="\(top + 20)" width="100%" height="10" rx="2" class="track"/>\
        <rect x="0" y="\(top + 20)" width="\(number(share * 100))%" height="10" rx="2" class="bar"/>

        """
    }
    return svg + "</svg>"
  }

  private static func draw(_ title: String, _ values: [Double]) -> String {
    let highest = max(values.max() ?? 0, .leastNormalMagnitude)
    let (top, height) = (30, 130)
    func x(_ index: Int) -> Double { 4 + 92 * Double(index) / Double(max(1, values.count - 1)) }
    func y(_ value: Double) -> Double { Double(top) + Double(height) * (1 - max(0, value) / highest) }
    let points = values.enumerated().map { "\(number(x($0))),\(number(y($1) - Double(top)))" }
    let label = "\(title): " + values.map { written($0) }.joined(separator: ", ")
    var svg = open(label, width: "100%", height: top + height + 46)
    let bottom = top + height
    svg += """
      <line x1="0" y1="\(bottom)" x2="100%" y2="\(bottom)" class="axis"/>\
      <svg x="0" y="\(top)" width="100%" height="\(height)" viewBox="0 0 100 \(height)" preserveAspectRatio="none" overflow="visible">\
      <polyline points="\(points.joined(separator: " "))" class="line" vector-effect="non-scaling-stroke"/></svg>

      """
    // Numbers under one another would be a smear: as many as have room on a phone.
    let every = max(1, (values.count + 7) / 8)
    for (index, value) in values.enumerated() {
      let isNamed = index % every == 0 || index == values.count - 1
      svg += "<circle cx=\"\(number(x(index)))%\" cy=\"\(number(y(value)))\" r=\"3\" class=\"point\"/>"
      guard isNamed else { continue }
      // Beside the line that falls towards the next point.
      let aside = index == values.count - 1 ? 0 : 16
      svg += """
        <text x="\(number(x(index)))%" dx="\(aside)" y="\(number(y(value) - 9))" class="middle number">\(written(value))</text>\
        <text x="\(number(x(index)))%" y="\(bottom + 18)" class="middle quiet">\(index + 1)</text>

        """
    }
    return svg + "<text x=\"50%\" y=\"\(bottom + 38)\" class=\"middle quiet\">\(escaped(title))</text></svg>"
  }

  private static func draw(_ names: [String], _ counts: [[Int]]) -> String {
    let (cell, top) = (30, 44)
    let left = 14 + 8 * min(32, (names.map(\.count).max() ?? 0) + 3)
    let (width, height) = (left + cell * names.count, top + cell * names.count)
    let label =
      "What was taken for what. "
      + zip(names, counts).map { name, row in "\(name): " + row.map(String.init).joined(separator: " ") }
      .joined(separator: "; ")
    var svg = open(label, width: "\(width)", height: height, isScaled: true)
    svg += "<text x=\"\(left + cell * names.count / 2)\" y=\"14\" class=\"middle quiet\">predicted</text>"
    svg += "<text x=\"0\" y=\"\(top - 10)\" class=\"quiet\">true</text>\n"
    for (row, name) in names.enumerated() {
      let shown = name.count > 32 ? name.prefix(31) + "…" : name[...]
      let middle = top + row * cell + 20
      svg +=
        "<text x=\"\(left + row * cell + cell / 2)\" y=\"\(top - 10)\" class=\"middle quiet\">\(row + 1)</text>"
      svg += "<text x=\"0\" y=\"\(middle)\">\(row + 1) \(escaped(shown))</text>\n"
      let sum = max(1, counts[row].reduce(0, +))
      for (column, count) in counts[row].enumerated() {
        let share = Double(count) / Double(sum)
        let kind = count == 0 ? "track" : row == column ? "right" : "wrong"
        // A mistake is seen where it is rare, too. Never so dark that the number on it, in the text's own colour, could not be read.
        let opacity = count == 0 ? 1 : 0.12 + 0.33 * (row == column ? share : share.squareRoot())
        svg += """
          <rect x="\(left + column * cell + 1)" y="\(top + row * cell + 1)" width="\(cell - 2)" height="\(cell - 2)" rx="3" \
          class="\(kind)" fill-opacity="\(number(opacity))"/>
          """
        if count > 0 {
          svg += """
            <text x="\(left + column * cell + cell / 2)" y="\(middle)" class="middle number">\(count)</text>
            """
        }
      }
      svg += "\n"
    }
    return svg + "</svg>"
  }

  private static func open(_ label: String, width: String, height: Int, isScaled: Bool = false) -> String {
    let box = isScaled ? " viewBox=\"0 0 \(width) \(height)\" class=\"scaled\"" : ""
    return
      "<svg role=\"img\" aria-label=\"\(escaped(label))\" width=\"\(width)\" height=\"\(height)\"\(box)>\n"
  }

  private static func number(_ value: Double) -> String {
    String(format: "%.2f", locale: nil, value.isFinite ? value : 0)
  }

  private static func written(_ value: Double) -> String { String(format: "%.3f", locale: nil, value) }
}
