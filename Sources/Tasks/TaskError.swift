import Basics
import Workbench

/// Why a task cannot be done: each with its sentence for the learner.
public enum TaskError: Error, Equatable, CustomStringConvertible {
  case unknownModel(String, nearest: String?)
  case noInterface
  case noLabels(dataset: String, hasCategories: Bool)
  case oneCategory(dataset: String)
  /// Keys of categories that labels have and the interface lacks.
  case categoriesLacking([String], dataset: String)
  /// No encoder at all is there to begin with.
  case modelMissing
  /// `FETTLE_MODEL` names a folder without a model in it.
  case overrideMissing(folder: String)
  /// `FETTLE_MODEL` names a language model.
  case overrideGenerative(folder: String)
  /// No encoder of this name is installed.
  case notInstalled(String, nearest: String?)
  /// The workspace's base is not installed; `found` is another one of its name.
  case baseMissing(EncoderReference, found: EncoderReference?)
  case modelIncomplete(model: String, file: String)
  /// `now` is what `base` is here.
  case otherBase(model: String, trainedOn: EncoderReference, now: EncoderReference?)
  /// The same of a language model, which is never `base`.
  case languageBaseMissing(model: String, trainedOn: EncoderReference)
  case headDoesNotFit(model: String, width: Int, encoder: Int)
  /// A model could not be asked, and may be tried again.
  case passingFailure(model: String, String)
  case unanswered(Unanswered)
  /// `smaller` is what needs less room.
  case diskFull(needed: Int, free: Int, smaller: String)
  case cacheNotWritable(isFull: Bool)
  case other(code: String, String)

  /// A stable word with hyphens, for programs.
  public var code: String {
    switch self {
    case .unknownModel: "unknown-model"
    case .noInterface: "no-interface"
    case .noLabels: "no-labels"
    case .oneCategory: "one-category"
    case .categoriesLacking: "category-not-in-interface"
    case .modelMissing, .overrideMissing: "model-missing"
    case .overrideGenerative: "model-encoder"
    case .notInstalled, .baseMissing: "model-not-installed"
    case .modelIncomplete: "model-incomplete"
    case .passingFailure, .unanswered: "model-failed"
    case .otherBase, .languageBaseMissing, .headDoesNotFit: "model-other-base"
    case .diskFull, .cacheNotWritable(isFull: true): "disk-full"
    case .cacheNotWritable: "cannot-write"
    case .other(let code, _): code
    }
  }

  public var description: String {
    switch self {
    case .unknownModel(let name, let nearest):
      "There is no model named \(name)." + (nearest.map { " Did you mean \($0)?" } ?? " See: models")
    case .noInterface:
      "There is no interface yet, so it is not known which categories there are. "
        + "Load one (interface load FILE) or define one (interface define --from DATASET)."
    case .noLabels(let dataset, true):
      "\(dataset) has no labels to train on yet. Give it some: the file's own (label file --dataset \(dataset)), simulated ones "
        + "(label simulate --dataset \(dataset)), or your own (label --dataset \(dataset))."
    case .noLabels(let dataset, false):
      "\(dataset) has no labels to train on yet, and its file has no categories. Give it some of your own (label --dataset "
        + "\(dataset)), or another reader's (label import FILE --dataset \(dataset))."
    case .oneCategory(let dataset):
      "All labels of \(dataset) are of one category; there is nothing to learn. Label at least two categories."
    case .categoriesLacking(let keys, let dataset):
      "The interface lacks categories that \(dataset) is labelled with: \(keys.joined(separator: ", "))."
    case .modelMissing:
      "The embedded model is not installed. Fetch it once with: model install (or, without a network: "
        + "model install --from DIR, any folder with a BERT in it)"
    case .overrideMissing(let folder):
      "FETTLE_MODEL names \(folder.visible), and there is no model in it. Name a folder with a BERT in it, or unset FETTLE_MODEL."
    case .overrideGenerative(let folder):
      "FETTLE_MODEL names \(folder.visible), where a language model lies, and base is an encoder, which compares texts. Name a "
        + "folder with a BERT in it, or unset FETTLE_MODEL; an installed language model is asked by its name: --model NAME"
    case .notInstalled(let name, let nearest):
      "\(name.visible) is not installed." + (nearest.map { " Did you mean \($0.visible)?" } ?? "")
        + " Install it: \(Self.installation(of: name)). What is there: models"
    case .baseMissing(let base, let found):
      "The base of this workspace is \(base.description), which is not installed"
        + (found.map { "; what is installed under its name is another, \($0.description)" } ?? "")
        + ". Install it: \(Self.installation(of: base.name ?? "NAME")). Or choose another: model use NAME"
    case .modelIncomplete(let model, let file):
      "\(model) is not whole: its \(file) is missing. Remove it (models remove \(model)) and train again, or name another: --model NAME"
    case .otherBase(let model, let trainedOn, let now):
      "\(model) was trained on \(trainedOn.description), which is not installed"
        + (now.map { ", and means nothing on \($0.description), which is base now" } ?? "") + ". Install it: "
        + "\(Self.installation(of: trainedOn.name ?? "NAME")). Or name its folder in FETTLE_MODEL, or remove it: models remove \(model)"
    case .languageBaseMissing(let model, let trainedOn):
      "\(model) was trained on \(trainedOn.description), which is not installed. Install it: "
        + "\(Self.installation(of: trainedOn.name ?? "NAME")). Or remove it: models remove \(model)"
    case .headDoesNotFit(let model, let width, let encoder):
      "\(model) was trained on a model of width \(width), and its base is now one of width \(encoder), on which it means nothing. "
        + "Make the one that it was trained on base again (model use NAME), or remove it: models remove \(model)"
    case .passingFailure(let model, let reason): "\(model) gave no answer: \(reason). Try again."
    case .unanswered(let unanswered): unanswered.description
    case .diskFull(let needed, let free, let smaller):
      "The tuned model needs \(Bytes(needed)) on disk and only \(Bytes(free)) are free. "
        + "Make room (models remove NAME), or use \(smaller)."
    case .cacheNotWritable(let isFull):
      "The cache folder for models (XDG_CACHE_HOME, else ~/.cache) cannot be written"
        + (isFull
          ? ": the disk is full, or the file is larger than ulimit -f allows. Make room, then try again."
          : ". Is the folder writable, and is there room on the disk?")
    case .other(_, let message): message
    }
  }

  /// Texts of a data set to which a model gave no answer, though it may give one later.
  public struct Unanswered: Equatable, Sendable, CustomStringConvertible {
    public let model: String
    public let dataset: String
    /// The assets' own ids, in their order.
    public let assets: [String]
    /// What the first of them failed with.
    public let reason: String
    /// How many assets of the data set have a prediction now.
    public let kept: Int

    public var description: String {
      let names = assets.prefix(5).map(\.visible).joined(separator: ", ")
      let more = assets.count > 5 ? " and \(assets.count - 5) more" : ""
      return
        "\(model) gave no answer for \(assets.count) of \(assets.count + kept) assets of \(dataset) (\(names)\(more)): \(reason). "
        + "The other \(kept) are kept; the same command asks only for those again."
    }
  }

  private static func installation(of name: String) -> String {
    switch name {
    case ModelCache.standardName: "model install"
    case _ where HubModel.all.contains { $0.name == name }: "model install \(name)"
    default: "model install --from DIR --name \(name.visible)"
    }
  }
}
