import Basics
import Encoder
import Foundation
import HTTP
import Shell
import Workbench

/// What can be wrong with a command that is well formed: each with its sentence for the learner.
enum CommandError: Error, Equatable, CustomStringConvertible {
  case noDataset
  case unknownDataset(String, nearest: String?)
  case noPredictions(model: String, dataset: String)
  case neverPredicted(dataset: String)
  case noTruth(dataset: String)
  case noTunedModel
  case notTuned(model: String)
  case baseHasNoHead
  case inUse(model: String, by: String)
  case nothingHeldOut(dataset: String, leftOut: Int)
  case outsideRoot(path: String)
  case hidden(path: String)
  case rootTooWide(document: String, root: String)
  case rootHidden(document: String, root: String)
  case noFolder(path: String)
  case noFile(path: String)
  case cannotWrite(path: String)
  case noRoom(path: String)
  case fileExists(path: String)
  case notPlain(path: String)
  case notFolder(path: String)
  case folderInUse(path: String, file: String, replaceable: Bool)
  case notInReplay(verb: String)
  /// What was expected, and what was there instead.
  case expectation(String, numbers: String?)
  case usage(String)
  case other(code: String, String)

  var code: String {
    switch self {
    case .noDataset: "no-dataset"
    case .unknownDataset: "unknown-dataset"
    case .noPredictions, .neverPredicted: "no-predictions"
    case .noTruth: "no-truth"
    case .noTunedModel, .notTuned, .baseHasNoHead: "no-tuned-model"
    case .inUse: "in-use"
    case .nothingHeldOut: "nothing-held-out"
    case .noRoom: "disk-full"
    case .outsideRoot, .hidden: "outside-root"
    case .rootTooWide, .rootHidden: "root-too-wide"
    case .noFolder: "no-folder"
    case .noFile: "no-file"
    case .cannotWrite: "cannot-write"
    case .fileExists: "file-exists"
    case .notPlain: "file-not-plain"
    case .notFolder, .folderInUse: "model-folder"
    case .notInReplay: "not-in-replay"
    case .expectation: "expectation-failed"
    case .usage: "usage"
    case .other(let code, _): code
    }
  }

  var description: String {
    switch self {
    case .noDataset: "No data set is loaded yet. Load one: load FILE"
    case .unknownDataset(let name, let nearest):
      "There is no data set named \(name)." + (nearest.map { " Did you mean \($0)?" } ?? " See: datasets")
    case .noPredictions(let model, let dataset):
      "\(model) has not predicted all of \(dataset) yet. Run: predict --dataset \(dataset) --model \(model)"
    case .neverPredicted(let dataset): "No model has predicted all of \(dataset) yet. Run: predict"
    case .noTruth(let dataset):
      "It is not known what is right for \(dataset): it has neither labels nor a category column. "
        + "Label it, or load a file with categories."
    case .noTunedModel: "There is no tuned model yet. Make one: finetune"
    case .notTuned(let name):
      "\(name) is the base model itself; validate compares a tuned model with its base."
    case .baseHasNoHead:
      "The base model has no head to export. Train one: finetune --method linear"
    case .inUse(let model, let other):
      "\(other) builds on \(model). Remove it first: models remove \(other)"
    case .nothingHeldOut(let dataset, let leftOut):
      leftOut == 0
        ? "\(dataset) has no assets whose category is known."
        : "All \(leftOut) assets of \(dataset) were trained on, so nothing is left to validate on. Load other data."
    case .outsideRoot(let path):
      "\(path.visible) lies outside the document's folder, and a replay reads nothing there. "
        + "If you trust the document, allow the folder: --allow-read DIR"
    case .rootTooWide(let document, let root):
      "\(document.visible) takes \(root.visible) as its root, which is more than its own surroundings, and a replay may read all below "
        + "its root. If you trust the document, replay it from there, or allow the folder: --allow-read DIR"
    case .hidden(let path):
      "\(path.visible) is hidden (its name or a folder's begins with a dot), and a replay reads nothing there. "
        + "If you trust the document, allow the folder: --allow-read DIR"
    case .rootHidden(let document, let root):
      "\(document.visible) takes \(root.visible) as its root, a hidden folder, and a replay may read all below its root. "
        + "If you trust the document, allow the folder: --allow-read DIR"
    case .noFolder(let path): "The folder of \(path.visible) does not exist. Make it first, or name another."
    case .noFile(let path): "There is no file \(path.visible)."
    case .notPlain(let path): "\(path.visible) is a folder, a device or a pipe. Name a file."
    case .notFolder(let path): "\(path.visible) is not a folder. Name another."
    case .folderInUse(let path, let file, let replaceable):
      "\(path.visible) is not empty: it holds \(file.visible). "
        + (replaceable
          ? "Name another folder, or replace the model in it: --replace" : "Name another folder.")
    case .cannotWrite(let path):
      "\(path.visible) cannot be written. Is the folder writable, and is there room on the disk?"
    case .noRoom(let path):
      "\(path.visible) cannot be written: the disk is full, or the file is larger than ulimit -f allows. Make room, then try again."
    case .fileExists(let path):
      "\(path.visible) is there already. Choose another name, or add --replace."
    case .notInReplay(let verb): "\(verb) is not for documents: a replay keeps to its own workspace."
    case .expectation(let message, _), .usage(let message), .other(_, let message): message
    }
  }
}

extension CommandError {
  /// - Parameter what: the line's or answer's name, which begins the sentence.
  static func tooLong(_ what: String, _ bytes: Int) -> CommandError {
    .other(code: "too-long", "\(what) holds at most \(Bytes(bytes)), and here would be more.")
  }
}

extension CommandError {
  init(_ error: FileError, shownAs name: String) {
    self = error.isOutOfRoom ? .noRoom(path: name) : .cannotWrite(path: name)
  }
}
