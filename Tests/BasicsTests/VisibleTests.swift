import Basics
import Testing

@Suite struct VisibleTests {
  @Test(
    arguments: [
      ("\u{1B}[31m\u{7F}\u{85}", #"\u{1b}[31m\u{7f}\u{85}"#),
      ("a\u{202E}b\u{2066}\u{200F}\u{61C}", #"a\u{202e}b\u{2066}\u{200f}\u{61c}"#),
      ("a\u{2028}b\u{2029}", #"a\u{2028}b\u{2029}"#),
      ("\u{FEFF}a\u{FFF9}b\u{FFFB}", #"\u{feff}a\u{fff9}b\u{fffb}"#),
      ("a\u{E0041}", #"a\u{e0041}"#),
      ("नमस्ते 👩‍🚀 “é”", "नमस्ते 👩‍🚀 “é”"),
    ])
  func `What a terminal would obey or nobody sees is written out, in one line and in lines`(
    text: String, shown: String
  ) {
    #expect(text.visible == shown)
    #expect(text.visibleLines == shown)
  }

  @Test func `Tabs and the ends of lines are written out in one line, and stay in lines`() {
    let text = "a\tb\r\nc\nd\re\r"
    #expect(text.visible == #"a\tb\r\nc\nd\re\r"#)
    #expect(text.visibleLines == "a\tb\r\nc\nd" + #"\re\r"#)
  }

  @Test func `An excerpt is cut before it is written out`() {
    #expect("abc\u{1B}".excerpt(4) == #"abc\u{1b}"#)
    #expect("abc\u{1B}d".excerpt(4) == #"abc\u{1b}…"#)
  }
}
