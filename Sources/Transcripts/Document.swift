/// A session as a Markdown document: prose, and steps in fences with the info string `fettle`.
///
/// ``````markdown
/// ---
/// seed: 42
/// ---
/// Prose stands outside the fences.
///
/// ```fettle
/// fettle> kpi
/// accuracy ~0.590
/// ```
/// ``````
///
/// Fences are CommonMark's: of backticks or tildes, three or more, indented by up to three blanks. A fence may hold
/// several commands: `fettle> ` begins one, `     > ` goes on with it, `# interrupted: ` begins one that is not replayed. A
/// backslash before one of these makes it a line of the answer. What stands in other fences, in HTML comments and
/// everywhere else is prose. What was read is what is written, Windows line ends and a byte order mark too.
public struct Document: Equatable, Sendable {
  public var frontMatter: FrontMatter {
    didSet {
      guard frontMatter != oldValue else { return }
      let hasWindowsEnds = head.utf8.suffix(2).elementsEqual("\r\n".utf8)
      head = hasWindowsEnds ? frontMatter.text.replacing("\n", with: "\r\n") : frontMatter.text
    }
  }

  /// The line, from 1, of the fence (or comment) that the document breaks off in; the parts end before it.
  public let breaksOff: Int?

  /// The fences that an author may take for steps and that are none.
  public let passedOver: [PassedOver]

  public struct PassedOver: Equatable, Sendable {
    /// The fence's first line, from 1.
    public var line: Int
    public var why: Reason

    public enum Reason: Equatable, Sendable {
      /// It stands in a list item or a quote.
      case contained
      /// Its name is `fettle` but for upper case.
      case misnamed(String)
    }

    /// What is wrong and what to do, without the place.
    public var message: String {
      switch why {
      case .contained:
        "A fettle fence in a list item or a quote is not replayed. Begin its lines at the start of the line, "
          + "or give the fence another name than fettle."
      case .misnamed(let name):
        "A fence named \(name) is not replayed. Name it fettle, in small letters."
      }
    }
  }

  /// A document's content in its order.
  public enum Part: Equatable, Sendable {
    /// Markdown, with its line ends and the empty lines around it.
    case prose(String)
    case step(Step)
  }

  /// How a stretch of the document stands in its text.
  enum Piece: Equatable, Sendable {
    case prose(String)
    case fence(FencedSteps)
    /// A fence that has no end.
    case broken(String)
  }

  /// The front matter as it was written, with a byte order mark before it; empty where there is none.
  private(set) var head: String
  var pieces: [Piece]

  /// Reads a document.
  ///
  /// Throws a `DocumentError`, with its line, for bad front matter and for a `fettle` fence that begins with no command.
  /// A document that ends in an open fence is read up to it, and `breaksOff` says so.
  ///
  /// - Parameter file: the path for the error's text.
  public init(parsing text: String, file: String? = nil) throws {
    var parser = DocumentParser(text, file: file)
    let parsed = try parser.parse()
    frontMatter = parsed.frontMatter
    head = parsed.head
    pieces = parsed.pieces
    breaksOff = parsed.breaksOff
    passedOver = parsed.passedOver
  }

  init(
    frontMatter: FrontMatter, head: String, pieces: [Piece], breaksOff: Int?, passedOver: [PassedOver]
  ) {
    self.frontMatter = frontMatter
    self.head = head
    self.pieces = pieces
    self.breaksOff = breaksOff
    self.passedOver = passedOver
  }

  /// Prose and steps in their order. Several commands of one fence are several steps.
  public var parts: [Part] {
    pieces.flatMap { piece in
      switch piece {
      case .prose(let text): [Part.prose(text)]
      case .fence(let fence): fence.steps.map(Part.step)
      case .broken: [Part]()
      }
    }
  }

  /// The steps in their order.
  public var steps: [Step] {
    parts.compactMap { if case .step(let step) = $0 { step } else { nil } }
  }

  /// The document without its last step, and without that one's fence where it held nothing else. The prose stays.
  public var withoutLastStep: Document {
    var document = self
    for index in pieces.indices.reversed() {
      guard case .fence(let fence) = pieces[index] else { continue }
      if let rest = fence.withoutLast {
        document.pieces[index] = .fence(rest)
      } else {
        document.pieces.remove(at: index)
        // The empty line that stood before the fence.
        if index > 0, case .prose(var prose) = pieces[index - 1], prose.suffix(2).allSatisfy(\.isNewline),
          !prose.isEmpty
        {
          prose.removeLast()
          document.pieces[index - 1] = .prose(prose)
        }
      }
      break
    }
    return document
  }

  /// The document, written again.
  public var text: String {
    head
      + pieces.map { piece in
        switch piece {
        case .prose(let text), .broken(let text): text
        case .fence(let fence): fence.source
        }
      }.joined()
  }
}
