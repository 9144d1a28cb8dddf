import CLibEdit
import Foundation

/// What is put into the line otherwise than key by key.
extension LineEditor {
  func completeWord() -> EditingFunction.Effect? {
    let line = line
    guard let complete else { return nil }
    let before = line.before
    let cursor = line.text.unicodeScalars.index(line.text.startIndex, offsetBy: line.cursor)
    switch Completion(complete(line.text, cursor), before: before[...]) {
    case .nothing: return nil
    case .insert(let count, let text):
      // libedit counts wide characters, a `Candidate` what a person takes for one.
      let replaced = String(before.suffix(count)).unicodeScalars.count
      _ = delete(from: line.cursor - replaced, to: line.cursor)
      return insert(text) ? .changed : nil
    case .list(let names):
      fflush(nil)
      finish(line.text)
      let lines = Completion.columns(names, width: terminal.width)
      terminal.write("\r\n" + lines.map { $0 + "\r\n" }.joined())
      return .listed
    }
  }

  func insertPaste() -> Bool {
    let end: [Unicode.Scalar] = ["\u{1B}", "[", "2", "0", "1", "~"]
    var scalars: [Unicode.Scalar] = []
    reading: while !scalars.suffix(end.count).elementsEqual(end) {
      switch keys.next() {
      case .key(let scalar): scalars.append(scalar)
      case .end: break reading
      case .signal(let number):
        // Its line ends before the paste does; what has come of it stays in the line.
        keys.again(signal: number)
        if number != SIGWINCH, number != Int32(KeyReader.wake) { break reading }
      }
    }
    if scalars.suffix(end.count).elementsEqual(end) { scalars.removeLast(end.count) }
    let text = Self.cleaned(scalars)
    guard !text.isEmpty else { return true }
    guard text.contains("\n"), joinsLines?(line.before) == true else { return insert(text) }
    let lines = text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
    return insert(lines.filter { !$0.isEmpty }.joined(separator: " "))
  }

  /// A paste without what is no text, and without the newlines at its end: Enter is the learner's to press.
  private static func cleaned(_ scalars: [Unicode.Scalar]) -> String {
    var text = String.UnicodeScalarView()
    var previous: Unicode.Scalar?
    for scalar in scalars {
      defer { previous = scalar }
      switch scalar {
      case "\n" where previous == "\r": break
      case "\r": text.append("\n")
      case "\n", "\t": text.append(scalar)
      case "\u{0}"..<"\u{20}", "\u{7F}"..<"\u{A0}": break
      default: text.append(scalar)
      }
    }
    while text.last == "\n" { text.removeLast() }
    return String(text)
  }

  /// Lets the user edit the line in the editor of their choice, and takes what was saved.
  func editElsewhere() -> Bool {
    guard !terminal.isDumb, let file = ExternalEditor.File(line.text) else { return false }
    defer { file.remove() }
    display.erase()
    switchBrackets(on: false)
    _ = fettle_el_set_number(editor, EL_PREP_TERM, 0)
    let status = TerminalModes.asBefore { ExternalEditor.edit(file) }
    // Ctrl-C was the editor's; the window may have another size now.
    for signal in keys.signals.drain().map(Int32.init) where signal != SIGINT && signal != SIGCONT {
      keys.again(signal: signal)
    }
    prepareTerminal()
    el_resize(editor)
    switchBrackets(on: true)
    guard status == 0, let text = file.text else { return false }
    return replace(with: text)
  }
}

/// The editor that a user has named in `$VISUAL` or `$EDITOR`, else vi.
enum ExternalEditor {
  /// A file of the user's alone with the text in it.
  struct File {
    let path: String

    /// `nil` where there can be none.
    init?(_ text: String) {
      var template = Array((NSTemporaryDirectory() + "/fettle-XXXXXX.txt").utf8CString)
      let descriptor = mkstemps(&template, 4)
      guard descriptor >= 0 else { return nil }
      _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
      path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
      let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
      do {
        try handle.write(contentsOf: Data((text + "\n").utf8))
      } catch {
        remove()
        return nil
      }
    }

    /// Its text as saved, without the newlines at the end.
    var text: String? {
      guard let data = FileManager.default.contents(atPath: path),
        var text = String(validating: data, as: UTF8.self)
      else { return nil }
      while text.last?.isNewline == true { text.removeLast() }
      return text
    }

    func remove() { unlink(path) }
  }

  /// Runs the editor on the terminal; its exit status, or -1 where it did not run.
  static func edit(_ file: File) -> Int32 {
    let environment = ProcessInfo.processInfo.environment
    let named = ["VISUAL", "EDITOR"].compactMap { environment[$0] }.first { !$0.isEmpty } ?? "vi"
    // By the shell, since the variable may hold options, too.
    let command = ["/bin/sh", "-c", named + " \"$1\"", "sh", file.path]
    var words = command.map { strdup($0) } + [nil]
    var settings = environment.map { strdup("\($0)=\($1)") } + [nil]
    defer { for text in words + settings { free(text) } }
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var ignored = sigset_t()
    sigemptyset(&ignored)
    sigaddset(&ignored, SIGPIPE)
    posix_spawnattr_setsigdefault(&attributes, &ignored)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF))
    var process: pid_t = 0
    guard posix_spawn(&process, "/bin/sh", nil, &attributes, &words, &settings) == 0 else { return -1 }
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0 {
      guard errno == EINTR else { return -1 }
    }
    return status & 0x7F == 0 ? (status >> 8) & 0xFF : -1
  }
}
