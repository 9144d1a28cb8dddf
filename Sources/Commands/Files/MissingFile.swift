import Basics
import Foundation
import Shell
import Workbench

/// Better advice than "it is not there", for a file whose name was mistyped, or typed without the quotes that it needs.
extension FileAccess {
  /// Adds what was probably meant to an error about a file that is not there, or about words too many.
  ///
  /// - Parameter words: the command's, with their variables expanded.
  func explain(_ failure: inout Diagnostic, words: [String]) {
    let isOfMissing = ["file-not-found", "no-file"].contains(failure.code)
    guard isOfMissing || failure.exitStatus == Diagnostic.usageStatus else { return }
    if let name = fileWithBlanks(in: Array(words.dropFirst())) {
      failure.message = "There is a file \(name.visible); put its name in quotes: \"\(name.visible)\"."
      return
    }
    let paths = words.map { word in
      word.hasPrefix("--") ? word.split(separator: "=", maxSplits: 1).dropFirst().joined() : word
    }
    guard isOfMissing,
      let path = paths.first(where: { isNamed($0, in: failure.message) && isMissing($0) }),
      let near = nearestFile(to: path)
    else { return }
    failure.message = "\((recordedPaths[path] ?? path).visible) is not there. Did you mean \(near.visible)?"
  }

  /// What is shown now, in the place of what the document keeps: paths as they were typed.
  func asTyped(_ failure: Diagnostic) -> Diagnostic {
    guard !isReplay else { return failure }
    var failure = failure
    for (typed, recorded) in recordedPaths.sorted(by: { $0.value.count > $1.value.count })
    where recorded.count > 2 {
      failure.message = failure.message.replacing(recorded.visible, with: typed.visible)
      if failure.file == recorded { failure.file = typed }
      // What was meant lies in the same folder, and a path from the root or from one's home says itself where it starts.
      guard failure.message.hasPrefix("\(typed.visible) is not there.") else { continue }
      failure.message = failure.message.replacing(
        "Did you mean \(folder(of: recorded).visible)", with: "Did you mean \(folder(of: typed).visible)")
      if ["/", "~"].contains(typed.first) {
        failure.message = failure.message.replacing(LoadError.whereItStarts, with: "")
      }
    }
    return failure
  }

  /// `data/` of `data/x.csv`.
  private func folder(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
  }

  /// Whether an error's first words are about the file; further on, advice may have a verb's name in it.
  private func isNamed(_ path: String, in message: String) -> Bool {
    let name = (recordedPaths[path] ?? path).visible
    return !name.isEmpty && (message.hasPrefix(name + " ") || message.hasPrefix("There is no file \(name)."))
  }

  private func isMissing(_ path: String) -> Bool {
    guard let url = try? readable(path) else { return false }
    return !FileManager.default.fileExists(atPath: url.path)
  }

  /// The file of the same folder that is spelled most like one that is not there, as it would be typed.
  private func nearestFile(to path: String) -> String? {
    guard let url = try? readable(path) else { return nil }
    let folder = url.deletingLastPathComponent()
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    let visible = names.filter { !$0.hasPrefix(".") }.sorted()
    guard let name = nearest(url.lastPathComponent, among: visible) ?? sameStem(url, visible) else {
      return nil
    }
    let shown = recordedPaths[path] ?? path
    return shown.lastIndex(of: "/").map { shown[...$0] + name } ?? name
  }

  /// `news.txt` for `news.csv`, and `news.csv` for `news`.
  private func sameStem(_ url: URL, _ names: [String]) -> String? {
    let stem = url.deletingPathExtension().lastPathComponent.lowercased()
    let alike = names.filter {
      URL(filePath: $0).deletingPathExtension().lastPathComponent.lowercased() == stem
    }
    return alike.count == 1 ? alike[0] : nil
  }

  /// The file that several words name together, at least two of them.
  private func fileWithBlanks(in words: [String]) -> String? {
    // Nobody who types a file's name types so many words.
    guard !isReplay, words.count <= 40 else { return nil }
    for start in words.indices where !words[start].hasPrefix("-") {
      for end in words.indices[(start + 1)...].prefix(11) {
        let name = words[start...end].joined(separator: " ")
        if let url = try? readable(name), FileManager.default.fileExists(atPath: url.path) { return name }
      }
    }
    return nil
  }
}
