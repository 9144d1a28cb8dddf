import Encoder
import Foundation

/// What came with the program: Samples, Sessions, and in the workshop's archive the models.
///
/// They are found from the program's own place, so that nothing has to be set or installed:
///
/// | the program | its files |
/// | --- | --- |
/// | `fettle` of an unpacked archive | beside it |
/// | `PREFIX/bin/fettle` | `PREFIX/share/fettle` |
/// | `.build/release/fettle` of a clone | the project's folder |
public struct Installation: Sendable {
  /// The folder that holds Samples and Sessions; nil where the program stands alone.
  public let folder: URL?

  /// That of the running program, links to it followed.
  public static let running = Installation(
    program: (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
      ?? CommandLine.arguments[0])

  /// - Parameter program: the real path of a program.
  public init(program: String) {
    let place = URL(filePath: program).deletingLastPathComponent().standardizedFileURL
    var candidates = [place, place.deletingLastPathComponent().appending(path: "share/fettle")]
    let parts = place.pathComponents
    if let build = parts.lastIndex(where: { $0.hasPrefix(".build") }) {
      candidates.append(URL(filePath: parts[1..<build].reduce("") { $0 + "/" + $1 }))
    }
    folder = candidates.first {
      FileManager.default.fileExists(atPath: $0.appending(path: "Samples/interface.json").path)
    }
  }

  /// Where the folder's documents and data lie, which every replay may read.
  public var shared: [URL] { folder.map { root in Self.names.map { root.appending(path: $0) } } ?? [] }

  /// The folders of the models that came with the program.
  public var models: [URL] {
    guard let models = folder?.appending(path: "Models") else { return [] }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: models.path)) ?? []
    return names.sorted().map { models.appending(path: $0) }.filter { PretrainedModel.weights(at: $0) != nil }
  }

  /// The file that a path names from a folder; where there is none and the path begins with `Samples/` or `Sessions/`, the one
  /// that came with the program. So `load Samples/news-1.csv` works in any folder, is recorded as it was typed, and replays
  /// in any other.
  public func file(_ path: String, from base: URL) -> URL {
    let own = URL(filePath: path, relativeTo: base).standardizedFileURL
    guard let folder, Self.names.contains(where: { path.hasPrefix($0 + "/") }),
      !FileManager.default.fileExists(atPath: own.path)
    else { return own }
    let installed = URL(filePath: path, relativeTo: URL(folder: folder.path)).standardizedFileURL
    let isShared = shared.contains { installed.isBelow($0) }
    return isShared && FileManager.default.fileExists(atPath: installed.path) ? installed : own
  }

  /// Whether a file is one of those that came with the program.
  func holds(_ url: URL) -> Bool {
    let real = url.resolvingSymlinksInPath()
    return shared.contains { real.isBelow($0.resolvingSymlinksInPath()) }
  }

  /// What a document calls a file that came with the program and lies outside the document's root; nil for any other file, and
  /// where the root has a file of that name itself.
  func name(of url: URL, from root: URL) -> String? {
    let real = url.resolvingSymlinksInPath()
    guard let folder, holds(real), !real.isBelow(root.resolvingSymlinksInPath()) else { return nil }
    let name = real.path(relativeTo: folder.resolvingSymlinksInPath())
    return file(name, from: root).resolvingSymlinksInPath().path == real.path ? name : nil
  }

  private static let names = ["Samples", "Sessions"]
}
