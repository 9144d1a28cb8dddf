import Encoder
import Foundation
import HTTP
import Shell
import Workbench

/// What can be wrong with a command that is well formed: each with its sentence for the learner.
enum Fault: Error, Equatable, CustomStringConvertible {
  case noDataset
  case unknownDataset(String, nearest: String?)
  case unknownModel(String, nearest: String?)
  case noInterface
  case noPredictions(model: String, dataset: String)
  case neverPredicted(dataset: String)
  case noLabels(dataset: String, hasCategories: Bool)
  case noTruth(dataset: String)
  case noTunedModel
  case notTuned(model: String)
  case baseHasNoHead
  case modelMissing
  case oneCategory(dataset: String)
  case inUse(model: String, by: String)
  case modelIncomplete(model: String, file: String)
  /// `trainedOn` and `now` say which embedded models.
  case otherBase(model: String, trainedOn: String, now: String)
  case nothingHeldOut(dataset: String, leftOut: Int)
  case diskFull(needed: Int, free: Int)
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
    case .unknownModel: "unknown-model"
    case .noInterface: "no-interface"
    case .noPredictions, .neverPredicted: "no-predictions"
    case .noLabels: "no-labels"
    case .noTruth: "no-truth"
    case .noTunedModel, .notTuned, .baseHasNoHead: "no-tuned-model"
    case .modelMissing: "model-missing"
    case .oneCategory: "one-category"
    case .inUse: "in-use"
    case .modelIncomplete: "model-incomplete"
    case .otherBase: "model-other-base"
    case .nothingHeldOut: "nothing-held-out"
    case .diskFull, .noRoom: "disk-full"
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
    case .unknownModel(let name, let nearest):
      "There is no model named \(name)." + (nearest.map { " Did you mean \($0)?" } ?? " See: models")
    case .noInterface:
      "There is no interface yet, so it is not known which categories there are. "
        + "Load one (interface load FILE) or define one (interface define --from DATASET)."
    case .noPredictions(let model, let dataset):
      "\(model) has not predicted all of \(dataset) yet. Run: predict --dataset \(dataset) --model \(model)"
    case .neverPredicted(let dataset): "No model has predicted all of \(dataset) yet. Run: predict"
    case .noLabels(let dataset, true):
      "\(dataset) has no labels to train on yet. Give it some: the file's own (label file --dataset \(dataset)), simulated ones "
        + "(label simulate --dataset \(dataset)), or your own (label --dataset \(dataset))."
    case .noLabels(let dataset, false):
      "\(dataset) has no labels to train on yet, and its file has no categories. Give it some of your own (label --dataset "
        + "\(dataset)), or another reader's (label import FILE --dataset \(dataset))."
    case .noTruth(let dataset):
      "It is not known what is right for \(dataset): it has neither labels nor a category column. "
        + "Label it, or load a file with categories."
    case .noTunedModel: "There is no tuned model yet. Make one: finetune"
    case .notTuned(let name):
      "\(name) is the base model itself; validate compares a tuned model with its base."
    case .baseHasNoHead:
      "The base model has no head to export. Train one: finetune --method linear"
    case .modelMissing:
      "The embedded model is not installed. Fetch it once with: model install (or, without a network: "
        + "model install --from DIR, any folder with a BERT in it)"
    case .oneCategory(let dataset):
      "All labels of \(dataset) are of one category; there is nothing to learn. Label at least two categories."
    case .inUse(let model, let other):
      "\(other) builds on \(model). Remove it first: models remove \(other)"
    case .modelIncomplete(let model, let file):
      "\(model) is not whole: its \(file) is missing. Remove it (models remove \(model)) and train again, or name another: --model NAME"
    case .otherBase(let model, let trainedOn, let now):
      "\(model) was trained on \(trainedOn), and the embedded model is now \(now), on which it means nothing. Install the old one "
        + "again (model install, or model install --from DIR), name its folder in FETTLE_MODEL, or remove it: models remove \(model)"
    case .nothingHeldOut(let dataset, let leftOut):
      leftOut == 0
        ? "\(dataset) has no assets whose category is known."
        : "All \(leftOut) assets of \(dataset) were trained on, so nothing is left to validate on. Load other data."
    case .diskFull(let needed, let free):
      "The tuned model needs \(Bytes(needed)) on disk and only \(Bytes(free)) are free. "
        + "Make room (models remove NAME), or use --method linear, which needs a few kilobytes."
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

extension Fault {
  static let tooManyLines = Fault.other(
    code: "too-many-lines",
    "One line runs at most \(grouped(Interpreter.mostLines)) others, and here would be more. Take some of the values out."
  )

  /// - Parameter what: the line's or answer's name, which begins the sentence.
  static func tooLong(_ what: String, _ bytes: Int) -> Fault {
    .other(code: "too-long", "\(what) holds at most \(Bytes(bytes)), and here would be more.")
  }
}

/// A size for people: `90.9 MB`, `18.9 kB`.
struct Bytes: CustomStringConvertible, Equatable {
  let count: Int
  init(_ count: Int) { self.count = count }

  var description: String {
    switch count {
    case ..<1000: "\(count) B"
    case ..<1_000_000: "\(fixed(Double(count) / 1e3, 1)) kB"
    case ..<1_000_000_000: "\(fixed(Double(count) / 1e6, 1)) MB"
    default: "\(fixed(Double(count) / 1e9, 1)) GB"
    }
  }
}
