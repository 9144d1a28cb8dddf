/// SplitMix64: the same garbage for every run of a test.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

/// Lines that a document's reader could take for something else.
let nastyLines = [
  "", " ", "\t", "```", "````", "```fettle", "~~~", "~~~fettle", "   ```", "    ```", "`", "`````````",
  "fettle> ",
  "fettle>", "fettle> quit", " fettle> quit", "\\fettle> quit", "\\\\fettle> quit", "\\", "\\\\", "\\d+",
  "     > ",
  "     >", "     > more", "      > more", "\\     > more", "# interrupted: ", "# interrupted:",
  "# interrupted: predict",
  "\\# interrupted: predict", "# title", "~ ", "~", "~ derived", "~0.590", "~0.59±0.05", "\\~ text", "---",
  "...",
  "trailing blanks   ", "trailing tab\t", "    indented", "<!--", "-->", "seed: 1", "\u{FEFF}", "\u{2028}",
  "é", "e\u{301}",
  "```\u{301}", "\u{301}fettle> ", "日本語", "👩‍👩‍👧", "a\rb", "error: no such file", "| a | b |",
]
