import Transcripts

/// A document as one HTML page that needs nothing else: no script, no font, no picture from anywhere, readable on a phone, in the dark
/// and on paper.
public struct Page {
  private let document: Document
  /// Where the page has no heading of its own to be called by.
  private let name: String

  public init(_ document: Document, name: String) {
    self.document = document
    self.name = name
  }

  public var html: String {
    var title: String?
    var body: [String] = []
    var number = 0
    for part in document.parts {
      switch part {
      case .prose(let text):
        let prose = Markdown(text)
        title = title ?? prose.title
        body.append(prose.html)
      case .step(let step):
        number += 1
        body.append(html(of: step, number))
      }
    }
    while body.last?.isEmpty == true { body.removeLast() }
    // On paper the footer stays with what it ends.
    let end = body.popLast() ?? ""
    let front = document.frontMatter
    // Nothing may be fetched, whatever stands in the text.
    return """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <meta name="generator" content="fettle \(escaped(FrontMatter.currentVersion))">
      <title>\(escaped(title ?? name))</title>
      <style>
      \(Self.style)
      </style>
      </head>
      <body>
      <main>
      \(body.joined())<div class="end">
      \(end)<footer>A session of fettle \(escaped(front.fettle)), seed \(front.seed). Numbers that begin with ~ depend on floating point, and may \
      differ a little on another machine.</footer>
      </div>
      </main>
      </body>
      </html>

      """
  }

  private func html(of step: Step, _ number: Int) -> String {
    var lines = step.command.split(separator: "\n", omittingEmptySubsequences: false).enumerated().map {
      let prompt = $0 > 0 ? "     > " : step.isInterrupted ? "# interrupted: " : "fettle> "
      return "<span class=\"prompt\">\(escaped(prompt))</span>\(escaped($1))"
    }
    if lines.isEmpty { lines = [""] }
    // What fills most of a printed page may break across two; else it begins on the next.
    let isLong = lines.count + step.answer.count > 40
    var html = "<section class=\"step\(isLong ? " long" : "")\" id=\"step-\(number)\">\n"
    html += "<pre class=\"command\"><code>\(lines.joined(separator: "\n"))</code></pre>\n"
    for part in AnswerPart.parts(of: step.answer, command: step.command) {
      switch part {
      case .plot(let plot): html += "<figure>\(SVG.draw(plot))</figure>\n"
      case .lines(let lines):
        let isError = lines[0].hasPrefix("error: ")
        let drawn = lines.map { line in
          line == "~" || line.hasPrefix("~ ")
            ? "<span class=\"derived\">\(escaped(line.dropFirst(2)))</span>" : escaped(line)
        }
        html +=
          "<pre class=\"answer\(isError ? " error" : "")\" tabindex=\"0\"><samp>\(drawn.joined(separator: "\n"))</samp></pre>\n"
      }
    }
    return html + "</section>\n"
  }

  private static let style = """
    :root { --ground: #fdfcfa; --text: #22211f; --quiet: #66625c; --rule: #dedad3; --shade: #f3f0ea; --accent: #17609e;
      --wrong: #b3541e; --error: #a3231f; }
    @media (prefers-color-scheme: dark) {
      :root { --ground: #16181b; --text: #e3e1dc; --quiet: #a09b93; --rule: #34373c; --shade: #1f2226; --accent: #7db5ea;
        --wrong: #e8975f; --error: #f08c85; }
    }
    * { box-sizing: border-box; }
    body { margin: 0; padding: 2.5rem 1rem 3rem; background: var(--ground); color: var(--text); font: 1.0625rem/1.6 Georgia, "Times New Roman", serif;
      overflow-wrap: break-word; }
    main, footer { max-width: 46rem; margin: 0 auto; }
    h1, h2, h3, h4 { font-family: system-ui, sans-serif; line-height: 1.25; margin: 2.2em 0 .6em; break-after: avoid; }
    h1 { font-size: 1.9rem; margin-top: 0; } h2 { font-size: 1.35rem; } h3 { font-size: 1.1rem; }
    a { color: var(--accent); }
    pre, code, samp { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: .8125rem; }
    p code, li code, td code { background: var(--shade); padding: .1em .3em; border-radius: 3px; }
    pre { margin: 0; padding: .7rem .9rem; overflow-x: auto; line-height: 1.5; tab-size: 8; }
    main > pre { background: var(--shade); border-radius: 6px; margin: 1rem 0; }
    table { border-collapse: collapse; display: block; overflow-x: auto; }
    th, td { border-bottom: 1px solid var(--rule); padding: .3rem .7rem .3rem 0; text-align: left; vertical-align: top; }
    blockquote { margin: 1rem 0; padding-left: 1rem; border-left: 3px solid var(--rule); color: var(--quiet); }
    .step { margin: 1.3rem 0; border: 1px solid var(--rule); border-radius: 6px; overflow: hidden; }
    .command { background: var(--shade); font-weight: 600; white-space: pre-wrap; }
    .prompt { color: var(--quiet); font-weight: 400; user-select: none; }
    .answer .derived { color: var(--quiet); }
    .error { color: var(--error); }
    figure { margin: 0; padding: .7rem .9rem; overflow-x: auto; }
    svg { display: block; max-width: 36rem; font: .8125rem system-ui, sans-serif; fill: var(--text); }
    svg.scaled { max-width: 100%; min-width: 20rem; height: auto; }
    .middle { text-anchor: middle; } .end { text-anchor: end; } .number { font-variant-numeric: tabular-nums; }
    .quiet { fill: var(--quiet); } .track { fill: var(--shade); } .bar, .right, .point { fill: var(--accent); }
    .wrong { fill: var(--wrong); } .line { fill: none; stroke: var(--accent); stroke-width: 2; } .axis { stroke: var(--rule); }
    footer { margin-top: 3rem; padding-top: 1rem; border-top: 1px solid var(--rule); color: var(--quiet); font-size: .85rem; }
    @media (max-width: 30rem) { pre, code, samp { font-size: .75rem; } pre { padding: .6rem .7rem; } }
    @media print {
      :root { --ground: #fff; --text: #000; --quiet: #444; --rule: #bbb; --shade: #f2f2f2; --accent: #17609e; --wrong: #b3541e;
        --error: #a3231f; }
      @page { margin: 1.8cm 1.6cm; }
      body { padding: 0; font-size: 10.5pt; print-color-adjust: exact; }
      main, footer { max-width: none; }
      pre, code, samp { font-size: 8pt; } pre { white-space: pre-wrap; overflow: visible; }
      p, li, pre { orphans: 3; widows: 3; }
      .step { overflow: visible; break-inside: avoid; }
      .step.long { break-inside: auto; }
      .step.long .command, p:has(+ .step), p:has(+ .end) { break-after: avoid; }
      figure, table, tr { break-inside: avoid; overflow: visible; }
      .end { break-inside: avoid; } .end:has(.long) { break-inside: auto; }
      footer { margin-top: 1.5rem; break-before: avoid; break-inside: avoid; }
    }
    """
}
