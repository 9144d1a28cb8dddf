import ArgumentParser
import Foundation
import Workbench

/// The texts that are measured with, as files of `text|category` lines that every peer reads.
struct Material {
  let train: String
  let test: String
  private let scratch = try? ScratchFolder()

  /// The project's samples; or any file that `load` takes. Without a test file the samples are split three to one for accuracy,
  /// and trained and tested on alike for speed.
  init(train: String?, test: String?, project: String, forAccuracy: Bool = false) throws {
    guard let scratch else { throw ValidationError("The temporary folder cannot be written.") }
    let samples = (1...4).map {
      URL(fileURLWithPath: project).appendingPathComponent("Samples/news-\($0).csv").path
    }
    let trained = train.map { [$0] } ?? (forAccuracy && test == nil ? Array(samples.prefix(3)) : samples)
    let tested = test.map { [$0] } ?? (forAccuracy && train == nil ? [samples[3]] : trained)
    self.train = scratch.path("train.txt")
    self.test = scratch.path("test.txt")
    try Self.write(trained, to: self.train)
    try Self.write(tested, to: self.test)
  }

  private static func write(_ files: [String], to target: String) throws {
    var lines = ""
    for file in files {
      var rows = try AssetFile.open(URL(fileURLWithPath: file)).rows()
      while let row = try rows.next() {
        guard let category = row.category else {
          throw ValidationError("\(file) has texts without a category.")
        }
        let text = row.text.split(whereSeparator: \.isNewline).joined(separator: " ")
        lines += "\(text)|\(category)\n"
      }
    }
    try lines.write(toFile: target, atomically: true, encoding: .utf8)
  }
}
