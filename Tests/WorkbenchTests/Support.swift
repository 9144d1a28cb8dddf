import Foundation
import Workbench

/// A folder for one test, gone with it.
final class Folder {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appendingPathComponent("fettle-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  @discardableResult
  func write(_ text: String, as name: String) throws -> URL { try write(Array(text.utf8), as: name) }

  @discardableResult
  func write(_ bytes: [UInt8], as name: String) throws -> URL {
    let file = url.appendingPathComponent(name)
    try Data(bytes).write(to: file)
    return file
  }

  func workspace() throws -> Workspace { try Workspace.open(url.appendingPathComponent(".fettle")) }
}

/// The repository's samples.
let samples = URL(fileURLWithPath: #filePath)
  .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  .appendingPathComponent("Samples")

func messy(_ name: String) -> URL { samples.appendingPathComponent("messy/\(name)") }

/// What a reader makes of a file: its rows, or what it throws.
func rows(of url: URL, _ options: LoadOptions = LoadOptions()) throws -> [AssetRow] {
  var rows = try AssetFile.open(url, options: options).rows()
  var all: [AssetRow] = []
  while let row = try rows.next() { all.append(row) }
  return all
}

/// `id,text,category` rows with these categories, texts `Text 0.` and so on.
func table(_ categories: [String], idPrefix: String = "a") -> String {
  "id,text,category\n"
    + categories.enumerated().map { "\(idPrefix)\($0),Text \($0).,\($1)\n" }.joined()
}

extension Workspace {
  /// Loads a file in a transaction of its own.
  @discardableResult
  func load(
    _ url: URL, _ options: LoadOptions = LoadOptions(), replacing: Bool = false
  ) throws -> Loading {
    let file = try AssetFile.open(url, options: options)
    return try write { try $0.load(file, replacing: replacing) }
  }
}

/// Repeatable random numbers (SplitMix64).
struct Generator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// Where a word begins in a text, counted independently of the readers.
func place(of word: String, in text: String, file: String) -> Place? {
  for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
    guard let range = line.range(of: word) else { continue }
    return Place(
      file: file, line: index + 1, column: line.distance(from: line.startIndex, to: range.lowerBound) + 1)
  }
  return nil
}
