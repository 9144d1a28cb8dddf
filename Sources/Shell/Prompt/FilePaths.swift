import Foundation

/// Paths of files, as they are typed and as Tab offers them.
public enum FilePaths {
  /// A path with the user's home in place of the `~` it begins with: that of `HOME`, as shells have it.
  public static func expandingHome(in path: String) -> String {
    guard path == "~" || path.hasPrefix("~/") else { return path }
    return (ProcessInfo.processInfo.environment["HOME"] ?? NSHomeDirectory()) + path.dropFirst()
  }

  /// The files and folders whose paths begin as the word does. Folders end in `/` and go on; names that begin with a dot are
  /// offered where the dot is typed; what the language would not read as one word is quoted.
  ///
  /// - Parameters:
  ///   - word: the word as far as it is typed.
  ///   - folder: what relative paths start from.
  ///   - endings: the endings of files that are wanted (`csv`); all where there are none.
  public static func candidates(
    for word: WordBeingTyped, in folder: URL, endings: [String] = []
  ) -> [Candidate] {
    let slash = word.text.lastIndex(of: "/")
    let directory = slash.map { String(word.text[...$0]) } ?? ""
    let beginning = slash.map { word.text[word.text.index(after: $0)...] } ?? word.text[...]
    let expanded = expandingHome(in: directory)
    let place = expanded.hasPrefix("/") ? expanded : folder.path + "/" + expanded
    let names = (try? FileManager.default.contentsOfDirectory(atPath: place)) ?? []
    return names.sorted().compactMap { name in
      guard name.hasPrefix(beginning), !name.hasPrefix(".") || beginning.hasPrefix(".") else { return nil }
      var isDirectory: ObjCBool = false
      let exists = FileManager.default.fileExists(atPath: place + "/" + name, isDirectory: &isDirectory)
      let isFolder = exists && isDirectory.boolValue
      let isWanted = endings.isEmpty || endings.contains { name.lowercased().hasSuffix("." + $0) }
      guard isFolder || isWanted else { return nil }
      var text = Language.quoted(directory + name)
      if isFolder {
        // The quote stays open for what follows.
        if text.hasPrefix("\"") { text.removeLast() }
        text += "/"
      }
      return Candidate(
        text, replacing: word.length, display: name + (isFolder ? "/" : ""),
        isWhole: !isFolder)
    }
  }
}
