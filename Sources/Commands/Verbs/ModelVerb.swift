import ArgumentParser
import Crypto
import Encoder
import Foundation
import HTTP
import Shell
import Workbench

/// The pre-trained weights, which are too large for the project's own files.
struct ModelVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "model", abstract: "Install the embedded model.",
    discussion: """
      The embedded model is all-MiniLM-L6-v2 (22.7 million weights, Apache-2.0), which reads English; it is fetched once, 91 MB, into your cache folder; after that \
      fettle needs no network. --from takes any folder with a BERT in it: model.safetensors, vocab.txt, config.json.

      Examples:
        model install
        model install --from Downloads/all-MiniLM-L6-v2

      Next: load FILE.
      """,
    subcommands: [Install.self])

  struct Install: Verb {
    static let recording = Recording.nothing
    static let configuration = CommandConfiguration(
      commandName: "install", abstract: "Fetch the model, or take it from a folder.")
    @Option(help: ArgumentHelp("A folder with a BERT in it.", valueName: "folder"), completion: .directory)
    var from: Text?

    func perform(in context: Context) throws -> Work {
      guard !context.files.isReplay else { throw Fault.notInReplay(verb: "model install") }
      let library = context.encoders
      let installed: ModelInstallation
      if let from {
        installed = try ModelInstallation(library).copy(from: context.files.reading(from.description))
      } else {
        installed = try ModelInstallation(library).fetch(context)
      }
      return Work { _ in
        var report = Report(verb: "model install")
        let name = installed.folder.lastPathComponent
        report.blocks.append(
          .line(
            installed.wasThere
              ? "\(name) is installed already." : "Installed \(name): \(Bytes(installed.bytes).description).")
        )
        report.json = ["model": .string(name), "bytes": .int(installed.bytes)]
        return report
      }
    }
  }
}

/// Puts a model's files into the cache, checked, under a temporary name until they are all there.
struct ModelInstallation {
  let library: EncoderLibrary
  var folder: URL
  var bytes = 0
  var wasThere = false

  /// all-MiniLM-L6-v2 at the hub, with the SHA-256 of each file.
  private static let hub = "https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2/resolve/main/"
  static let files: [(name: String, digest: String)] = [
    ("config.json", "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"),
    ("vocab.txt", "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"),
    ("model.safetensors", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"),
  ]

  init(_ library: EncoderLibrary) {
    self.library = library
    folder = library.cache.appending(path: EncoderLibrary.embeddedName)
  }

  /// - Throws: `HTTPError`; `Fault.other` when what came is not what was expected.
  func fetch(_ context: Context) throws -> ModelInstallation {
    var result = self
    for folder in [folder, Installation.running.model].compactMap(\.self) where isComplete(folder) {
      (result.folder, result.wasThere) = (folder, true)
      try result.choose()
      return result
    }
    try makeCache()
    let partial = library.cache.appending(path: ".\(folder.lastPathComponent).part")
    try FileManager.default.createDirectory(at: partial, withIntermediateDirectories: true)
    for file in Self.files {
      let target = partial.appending(path: file.name)
      if (try? sha256(target)) == file.digest { continue }
      try Download(Self.hub + file.name, to: target).run(
        progress: { received, total in
          context.progress.update(done: Int(received), total: Int(total ?? 0), unit: "bytes", note: file.name)
        }, isCancelled: context.isCancelled)
      guard try sha256(target) == file.digest else {
        try? FileManager.default.removeItem(at: target)
        throw Fault.other(
          code: "model-digest",
          "\(file.name) is not the file that was expected (its SHA-256 differs), so it was thrown away. Try again, "
            + "or use model install --from DIR.")
      }
      result.bytes += size(target)
    }
    try replace(with: partial)
    return result
  }

  /// - Throws: `ModelError` when there is no BERT in the folder.
  func copy(from source: URL) throws -> ModelInstallation {
    // Reading it whole is the only check that counts.
    _ = try PretrainedModel.load(folder: source)
    var result = self
    let isEmbedded = Self.files.allSatisfy { (try? sha256(source.appending(path: $0.name))) == $0.digest }
    result.folder = library.cache.appending(
      path: isEmbedded ? EncoderLibrary.embeddedName : source.lastPathComponent)
    try makeCache()
    let manager = FileManager.default
    let partial = library.cache.appending(path: ".\(result.folder.lastPathComponent).part")
    try? manager.removeItem(at: partial)
    do {
      try manager.createDirectory(at: partial, withIntermediateDirectories: true)
      let hasVocabulary = manager.fileExists(atPath: source.appending(path: "vocab.txt").path)
      let wanted =
        Self.files.map(\.name) + ["tokenizer_config.json", "sentence_bert_config.json"]
        + (hasVocabulary ? [] : ["tokenizer.json"])
      for name in wanted where manager.fileExists(atPath: source.appending(path: name).path) {
        // The bytes themselves: a link into the source would break when that goes.
        let file = source.appending(path: name).resolvingSymlinksInPath()
        try manager.copyItem(at: file, to: partial.appending(path: name))
        result.bytes += size(partial.appending(path: name))
      }
    } catch {
      try? manager.removeItem(at: partial)
      throw Fault.cannotWrite(path: "The cache folder for models")
    }
    try result.replace(with: partial)
    return result
  }

  private func isComplete(_ folder: URL) -> Bool {
    Self.files.allSatisfy { (try? sha256(folder.appending(path: $0.name))) == $0.digest }
  }

  private func makeCache() throws {
    do {
      try FileManager.default.createDirectory(at: library.cache, withIntermediateDirectories: true)
    } catch {
      throw Fault.cannotWrite(path: "The cache folder for models (XDG_CACHE_HOME, else ~/.cache)")
    }
  }

  private func replace(with partial: URL) throws {
    do {
      try? FileManager.default.removeItem(at: folder)
      try FileManager.default.moveItem(at: partial, to: folder)
    } catch {
      throw Fault.cannotWrite(path: "The cache folder for models")
    }
    library.forget(folder)
    try choose()
  }

  /// Makes this the embedded model; writes nothing where it is that, since a home may be missing that nobody needs.
  private func choose() throws {
    guard library.chosenName != folder.lastPathComponent else { return }
    try makeCache()
    do {
      try folder.lastPathComponent.write(
        to: library.cache.appending(path: "embedded"), atomically: true, encoding: .utf8)
    } catch {
      throw Fault.cannotWrite(path: "The cache folder for models")
    }
  }

  private func size(_ url: URL) -> Int {
    ((try? FileManager.default.attributesOfItem(atPath: url.path))?[.size] as? NSNumber)?.intValue ?? 0
  }
}

/// The SHA-256 of a file's bytes, in hexadecimal; the file is not held in memory.
///
/// - Parameter check: throws what is to end the reading of a long file.
func sha256(_ url: URL, check: () throws -> Void = {}) throws -> String {
  let handle = try FileHandle(forReadingFrom: url)
  defer { try? handle.close() }
  var hash = SHA256()
  while let chunk = try handle.read(upToCount: 1 << 20), !chunk.isEmpty {
    try check()
    hash.update(data: chunk)
  }
  return hash.finalize().map { String(format: "%02x", $0) }.joined()
}
