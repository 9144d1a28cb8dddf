import Foundation

/// The statements of a script, a file or a pipe, one after the other as their lines come: a slow pipe runs each line at once.
public struct LineSource {
  private let lines: Lines
  private let closesDescriptor: Bool
  private var waiting: ArraySlice<Statement> = []

  /// Reads an open descriptor, which stays the caller's.
  ///
  /// - Parameter isCancelled: asked several times a second while no line comes; then the source ends.
  public init(
    descriptor: Int32 = STDIN_FILENO, file: String? = nil,
    isCancelled: @escaping @Sendable () -> Bool = { false }
  ) {
    lines = Lines(descriptor, file: file, isCancelled: isCancelled)
    closesDescriptor = false
  }

  /// Reads a file.
  ///
  /// - Throws: `Diagnostic` where it cannot be opened.
  public init(path: String, isCancelled: @escaping @Sendable () -> Bool = { false }) throws {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      let why = errno == ENOENT ? "There is no file" : errno == EACCES ? "You may not read" : "Cannot open"
      throw Diagnostic(
        code: "no-file", message: "\(why) \(path). Check the name and the folder.", exitStatus: 1)
    }
    lines = Lines(descriptor, file: path, isCancelled: isCancelled)
    closesDescriptor = true
  }

  /// The name that errors give; `nil` for standard input.
  public var file: String? { lines.file }

  /// The next statement; `nil` at the end.
  ///
  /// - Throws: `LanguageError` with the file's line and column, also where the end leaves something open.
  public mutating func next() throws -> Statement? {
    while waiting.isEmpty {
      guard let statements = try nextWhole() else {
        if closesDescriptor { close(lines.descriptor) }
        return nil
      }
      waiting = statements[...]
    }
    return waiting.removeFirst()
  }

  /// Reads lines until they are whole statements.
  private func nextWhole() throws -> [Statement]? {
    guard let first = try lines.next() else { return nil }
    let firstNumber = lines.count
    // A transcript may be piped in; a line of quoted text that only looks like a prompt is not one.
    let isPrompt = first.drop { $0 == " " || $0 == "\t" }.hasPrefix(SourceLines.prompt)
    var read = [first]
    let parsing = try Language.parse(
      first, numbering: Language.Numbering(file: file, firstLine: firstNumber), extractingPrompts: isPrompt,
      more: { [lines] in
        let line = try lines.next()
        if let line { read.append(line) }
        return line
      })
    switch parsing {
    case .complete(let statements): return statements
    case .incomplete(let open):
      let index = open.line - firstNumber
      throw LanguageError.neverClosed(
        what: open.what,
        place: .init(
          file: file, line: open.line, column: open.column,
          source: read.indices.contains(index) ? read[index] : nil))
    }
  }
}

/// The lines of a descriptor, as they come.
private final class Lines {
  let descriptor: Int32
  let file: String?
  /// How many have come.
  private(set) var count = 0
  private let isCancelled: @Sendable () -> Bool
  private var buffer: [UInt8] = []
  private var start = 0
  private var isAtEnd = false

  init(_ descriptor: Int32, file: String?, isCancelled: @escaping @Sendable () -> Bool) {
    self.descriptor = descriptor
    self.file = file
    self.isCancelled = isCancelled
  }

  /// - Throws: `LanguageError` for what is no UTF-8.
  func next() throws -> String? {
    var searched = start
    while true {
      if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
        defer { start = end + 1 }
        return try line(buffer[start..<end])
      }
      searched = buffer.endIndex
      if isAtEnd {
        defer { start = buffer.endIndex }
        return start < buffer.endIndex ? try line(buffer[start...]) : nil
      }
      try fill(&searched)
    }
  }

  private func line(_ bytes: ArraySlice<UInt8>) throws -> String {
    count += 1
    let bytes = bytes.last == UInt8(ascii: "\r") ? bytes.dropLast() : bytes
    guard var text = String(validating: bytes, as: UTF8.self) else {
      let readable = String(decoding: bytes, as: UTF8.self)
      let column = (readable.firstIndex(of: "\u{FFFD}").map { readable[..<$0].count } ?? 0) + 1
      throw LanguageError.notText(.init(file: file, line: count, column: column, source: readable))
    }
    if count == 1, text.unicodeScalars.first == "\u{FEFF}" { text.unicodeScalars.removeFirst() }
    return text
  }

  private func fill(_ searched: inout Int) throws {
    if start > 0 {
      buffer.removeFirst(start)
      searched -= start
      start = 0
    }
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while true {
      if isCancelled() {
        isAtEnd = true
        buffer.removeAll()
        searched = 0
        return
      }
      guard hasInput(descriptor, within: 200) else { continue }
      let length = read(descriptor, &chunk, chunk.count)
      if length < 0, errno == EINTR || errno == EAGAIN { continue }
      if length <= 0 { isAtEnd = true } else { buffer += chunk[..<length] }
      return
    }
  }
}
