import Basics
import CCommonMark
import Glibc

/// A document's prose, rendered by GitHub's own CommonMark library (https://github.com/github/cmark-gfm): CommonMark with tables,
/// strike-through and bare links.
///
/// Nothing of it is trusted: HTML in the text is shown as text, comments are left out, images stand as their descriptions, and links
/// that would run something lose their target.
///
/// A text that would take the library seconds or hundreds of megabytes is shown as it is written.
public final class Markdown {
  /// nil for a text that is not rendered.
  private let root: OpaquePointer?
  private let written: String

  public init(_ text: String) {
    let text = text.visibleLines
    written = text
    guard MarkdownCost(text).isAffordable else {
      root = nil
      return
    }
    cmark_gfm_core_extensions_ensure_registered()
    let parser = cmark_parser_new(CMARK_OPT_VALIDATE_UTF8)
    defer { cmark_parser_free(parser) }
    for name in ["table", "strikethrough", "autolink"] {
      if let found = cmark_find_syntax_extension(name) { cmark_parser_attach_syntax_extension(parser, found) }
    }
    cmark_parser_feed(parser, text, text.utf8.count)
    root = cmark_parser_finish(parser)
    disarm()
  }

  deinit { if let root { cmark_node_free(root) } }

  private static let apology = "This text is shown as it is written: to render it would take too long."

  /// As HTML, to stand in a page.
  public var html: String {
    guard let root else { return "<p><em>\(Self.apology)</em></p>\n<pre>\(escaped(written))</pre>\n" }
    return Self.text(cmark_render_html(root, CMARK_OPT_DEFAULT, nil))
  }

  /// The text of the first heading of the first level.
  public var title: String? {
    children.first { cmark_node_get_type($0) == CMARK_NODE_HEADING && cmark_node_get_heading_level($0) == 1 }
      .map { Self.plain($0, width: 0) }
  }

  /// A line of the text as a terminal shows it.
  public enum PlainLine: Equatable, Sendable {
    case heading(String)
    case text(String)
  }

  /// Without Markdown's marks, wrapped, with an empty line after each block.
  ///
  /// - Parameter width: columns of the window.
  public func plainLines(width: Int) -> [PlainLine] {
    guard root != nil else {
      let lines = written.split(separator: "\n", omittingEmptySubsequences: false)
      return ([Self.apology[...], ""] + lines).map { .text(String($0)) }
    }
    return children.flatMap { node -> [PlainLine] in
      if cmark_node_get_type(node) == CMARK_NODE_HEADING {
        return [.heading(Self.plain(node, width: 0)), .text("")]
      }
      let lines = Self.plain(node, width: Int32(width)).split(
        separator: "\n", omittingEmptySubsequences: false)
      // Where a line is broken beside a blank in code, cmark leaves that one at the next line's start.
      let isParagraph = cmark_node_get_type(node) == CMARK_NODE_PARAGRAPH
      return lines.map { .text(String(isParagraph ? $0.drop { $0 == " " } : $0)) } + [.text("")]
    }
  }

  private var children: [OpaquePointer] {
    guard let root else { return [] }
    return sequence(first: cmark_node_first_child(root)) { cmark_node_next($0) }.prefix { $0 != nil }
      .compactMap { $0 }
  }

  /// Takes out what a page would fetch or run.
  private func disarm() {
    var nodes: [OpaquePointer] = []
    let iterator = cmark_iter_new(root)
    while case let event = cmark_iter_next(iterator), event != CMARK_EVENT_DONE {
      if event == CMARK_EVENT_ENTER, let node = cmark_iter_get_node(iterator) { nodes.append(node) }
    }
    cmark_iter_free(iterator)
    for node in nodes {
      switch cmark_node_get_type(node) {
      case CMARK_NODE_HTML_INLINE: replaceWithText(node)
      case CMARK_NODE_HTML_BLOCK: replaceWithText(node, inside: cmark_node_new(CMARK_NODE_PARAGRAPH))
      case CMARK_NODE_IMAGE:
        while let child = cmark_node_first_child(node) { cmark_node_insert_before(node, child) }
        cmark_node_unlink(node)
        cmark_node_free(node)
      default: break
      }
    }
  }

  /// - Parameter paragraph: what the text is put into, where it is a block; freed with a comment, which leaves nothing.
  private func replaceWithText(
    _ node: OpaquePointer, inside paragraph: OpaquePointer? = nil
  ) {
    let literal = cmark_node_get_literal(node).map { String(cString: $0) } ?? ""
    if literal.hasPrefix("<!--") {
      if let paragraph { cmark_node_free(paragraph) }
    } else {
      let text = cmark_node_new(CMARK_NODE_TEXT)
      cmark_node_set_literal(text, literal)
      if let paragraph { cmark_node_append_child(paragraph, text) }
      cmark_node_insert_before(node, paragraph ?? text)
    }
    cmark_node_unlink(node)
    cmark_node_free(node)
  }

  private static func plain(_ node: OpaquePointer, width: Int32) -> String {
    var text = Self.text(cmark_render_plaintext(node, CMARK_OPT_DEFAULT, width))
    while text.last?.isNewline == true { text.removeLast() }
    return text
  }

  private static func text(_ rendered: UnsafeMutablePointer<CChar>?) -> String {
    guard let rendered else { return "" }
    defer { free(rendered) }
    return String(cString: rendered)
  }
}
