import Encoder
import Foundation
import Testing

/// The reference numbers beside the tests, and the real model where it is installed.
enum TestFiles {
  static func reference(_ name: String) throws -> URL {
    try #require(Bundle.module.resourceURL).appendingPathComponent("Reference").appendingPathComponent(name)
  }

  /// The lines of a reference file, each a JSON object.
  static func lines<Line: Decodable>(_ name: String, as type: Line.Type) throws -> [Line] {
    try Data(contentsOf: reference(name)).split(separator: UInt8(ascii: "\n")).map {
      try JSONDecoder().decode(type, from: $0)
    }
  }

  /// `FETTLE_MODEL`, else the folder where `fettle model install` puts the model. Without it the tests that need it fail.
  static func model() throws -> URL {
    let environment = ProcessInfo.processInfo.environment
    let cache =
      environment["XDG_CACHE_HOME"].map { URL(fileURLWithPath: $0) }
      ?? FileManager.default.homeDirectoryForCurrentUser.appendingPathComponent(".cache")
    let folder =
      environment["FETTLE_MODEL"].map { URL(fileURLWithPath: $0) }
      ?? cache.appendingPathComponent("fettle/models/all-MiniLM-L6-v2")
    try #require(
      FileManager.default.fileExists(atPath: folder.appendingPathComponent("model.safetensors").path),
      "The model is not installed. Run `make test`, or set FETTLE_MODEL to a folder that holds all-MiniLM-L6-v2."
    )
    return folder
  }

  /// An empty folder for one test; the body's work is removed after it.
  static func withTemporaryFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "fettle-test-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder)
  }
}

extension PretrainedModel {
  /// A text's tokens as Hugging Face's tokenizers gives them, where the name of a special token stands for it.
  func referenceEncoding(_ text: String, maximumLength: Int? = nil) -> Encoding {
    let length = maximumLength ?? self.maximumLength
    return (tokenizer as? WordPiece)?.encode(text, maximumLength: length, readsSpecials: true)
      ?? tokenizer.encode(text, maximumLength: length)
  }
}

/// Whether this CPU multiplies in bf16, so that there is something to test.
let hasBFloat16 = (try? Precision.bf16.resolved()) != nil
/// As Linux tells of the CPU: of Intel's, those with AMX.
let favoursBFloat16: Bool = {
  let processor = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
  return hasBFloat16 && (!processor.contains("GenuineIntel") || processor.contains("amx_bf16"))
}()
