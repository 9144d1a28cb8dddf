import Transcripts

/// What a verb hands back: a picture-free description of its answer, drawn by the shell for whoever reads it.
///
/// `CanonicalDrawing` makes the document's answer of it, `TerminalDrawing` the screen's, `jsonLines` the one for programs.
public struct Report: Sendable {
  /// The verb's name as it is typed, `interface load` for one with a subcommand.
  public var verb: String
  public var blocks: [Block]
  /// The answer for programs; `verb` and `timing` are added when it is written.
  public var json: [String: JSONValue]
  /// One object a text, for verbs that answer about a whole file so (`tokens`, `embed`); replaces `json`.
  public var objects: [[String: JSONValue]]?
  /// Seconds, tokens per second: machine's facts, which go into the JSON and never into a drawing.
  public var timing: [String: JSONValue]
  /// What usually comes next, said quietly on the terminal and nowhere else.
  public var hint: String?
  /// A command that stands ready in the line editor next, to be run or edited; where there is no prompt it is shown.
  public var offer: String?
  /// The verb worked and its answer is bad news: a replay with differences. The program ends with 1.
  public var isFailure = false

  public init(
    verb: String, blocks: [Block] = [], json: [String: JSONValue] = [:],
    objects: [[String: JSONValue]]? = nil, timing: [String: JSONValue] = [:], hint: String? = nil
  ) {
    self.verb = verb
    self.blocks = blocks
    self.json = json
    self.objects = objects
    self.timing = timing
    self.hint = hint
  }

  /// Whether there is nothing to show.
  public var isEmpty: Bool { blocks.isEmpty && json.isEmpty && (objects ?? []).isEmpty }

  /// What `--json` prints: one object, or one a text, each to be written on a line of its own.
  public var jsonLines: [JSONValue] {
    (objects ?? [json]).map { members in
      var members = members
      members["verb"] = .string(verb)
      if !timing.isEmpty { members["timing"] = .object(timing) }
      return .object(members)
    }
  }
}

/// A part of a report.
public enum Block: Sendable {
  /// A sentence. Wrapped at blanks where the window is too narrow.
  case line(Cell)
  /// Names and their values, one under the other.
  case fields([(name: String, value: Cell)])
  case table(Table)
  /// Named values between 0 and 1: the document has the values, the terminal a bar beside each.
  case bars([Bar])
  /// What follows from estimates, such as a ranking; each line is drawn `~ …` in documents.
  case derived([String])
  /// What a language model has written or what comes of it: derived in documents, as plain as a sentence on the terminal; there
  /// left out where a person has watched it being written.
  case written([String], isOnScreen: Bool = false)
  /// Sentences about this machine, which another one's replay could not repeat: a document leaves them out.
  case local([String])
  /// Values along a course: derived in the document, a curve on the terminal.
  case curve(Curve)
  /// Counts in rows and columns: derived in the document, shaded on the terminal.
  case matrix(Matrix)
  /// Paragraphs of Markdown, to be read.
  case prose(String)
  /// Lines whose blanks matter. Never wrapped, never cut.
  case preformatted([String])
}

/// Rows under a header.
public struct Table: Sendable, Equatable {
  public var header: [String]
  /// As many cells in each row as the header has.
  public var rows: [[Cell]]
  /// One for each column; columns that have none are aligned left.
  public var alignments: [Alignment]
  /// Whether the first column is of names that people type: those are never cut.
  public var keepsNames: Bool

  public init(header: [String], rows: [[Cell]], alignments: [Alignment] = [], keepsNames: Bool = false) {
    self.header = header
    self.rows = rows
    self.alignments = alignments
    self.keepsNames = keepsNames
  }

  public enum Alignment: Sendable, Equatable {
    case left
    case right
  }
}

/// A named value with the bar that pictures it.
public struct Bar: Sendable, Equatable {
  public var name: String
  public var value: Cell
  /// The bar's length, 0 to 1.
  public var share: Double

  public init(_ name: String, value: Cell, share: Double) {
    self.name = name
    self.value = value
    self.share = share
  }
}
