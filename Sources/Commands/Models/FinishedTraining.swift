import ArgumentParser
import Basics
import Classifiers
import Encoder
import Foundation
import Scoring
import Shell
import Tasks
import Workbench

/// A training that has ended, and what it left.
struct FinishedTraining {
  private let trained: TrainedModel
  /// As the workspace keeps it.
  private let model: TunedModel

  init(_ trained: TrainedModel, _ model: TunedModel) {
    (self.trained, self.model) = (trained, model)
  }

  private var options: TrainingOptions { trained.options }
  private var result: TrainedModel.Result { trained.result }
  private var lesson: Taught? { (try? model.lesson) ?? nil }

  // MARK: one method

  var report: Report {
    var report = Report(verb: "finetune")
    report.blocks.append(
      .line(
        "\(model.name): \(model.method) fine-tuning of \(model.base) on \(counted(model.examples, "label")) of \(model.dataset)"
      ))
    let epochs = result.epochs.count
    var fields: [(name: String, value: Cell)] = []
    fields.append(("categories", "\(model.categories.count)"))
    fields.append(("trainable parameters", "\(grouped(result.trainableParameters))"))
    if options.method != .linear { fields.append(("epochs", "\(epochs)")) }
    if let lesson {
      fields.append(("prompt", "\(lesson.prompt.preset ?? "your own")"))
      fields.append(("completions", "\(lesson.completions.rawValue)"))
      if options.method == .adapter {
        fields.append(("LoRA", "rank \(options.rank), alpha \(String(format: "%g", Double(options.alpha)))"))
      }
    }
    fields.append(
      (model.isPrompted ? "final loss a token" : "final loss", "\(.loss(result.finalLoss))"))
    if let accuracy = result.heldOutAccuracy {
      fields.append(
        ("held-out accuracy", "\(.share(accuracy, of: result.heldOutCount))   (\(heldOut))"))
    }
    fields.append(("on disk", "\(Bytes(model.bytes).description)"))
    report.blocks.append(.fields(fields))
    if epochs > 1 {
      report.blocks.append(
        .curve(Curve("loss by epoch", values: result.epochs.map { Double($0.loss) })))
    }
    if !result.answers.isEmpty { report.blocks.append(.written(answers)) }
    report.json = json
    report.timing = timing
    report.hint = "load other data, then validate"
    return report
  }

  /// How a language model's answers to texts that it does not learn from have changed.
  private var answers: [String] {
    ["held-out texts, and what it wrote before and after each epoch:"]
      + result.answers.flatMap { text, written in
        [text.excerpt(60)]
          + written.enumerated().map { epoch, answer in
            "  \(epoch == 0 ? "before" : "epoch \(epoch)"): \(Language.quoted(answer.trimmingCharacters(in: .whitespacesAndNewlines)))"
          }
      }
  }

  /// linear learns from all examples and is judged by cross-validation; the others keep some examples out.
  private var heldOut: String {
    let different = repeats.map { ", \($0) different" } ?? ""
    return options.method == .linear
      ? "cross-validated over \(counted(result.heldOutCount, "example"))\(different)"
      : "\(counted(result.heldOutCount, "example")) held out\(different)"
  }

  /// How many different texts were held out; nil where that is all of them.
  private var repeats: Int? {
    guard let heldOut = result.heldOut, heldOut.isRightOfDifferent.count < heldOut.isRight.count else {
      return nil
    }
    return heldOut.isRightOfDifferent.count
  }

  private var json: [String: JSONValue] {
    var json: [String: JSONValue] = [
      "model": .string(model.name), "method": .string(model.method), "base": .string(model.base),
      "dataset": .string(model.dataset), "examples": .int(model.examples),
      "epochs": .int(result.epochs.count), "trainable_parameters": .int(result.trainableParameters),
      "final_loss": .double(result.finalLoss), "held_out_accuracy": .double(result.heldOutAccuracy ?? .nan),
      "held_out": .int(result.heldOutCount), "bytes": .int(model.bytes),
    ]
    if let repeats { json["held_out_groups"] = .int(repeats) }
    if let lesson {
      json["prompt"] = .object([
        "template": .string(lesson.prompt.template), "chat": .bool(lesson.prompt.isChat),
        "preset": lesson.prompt.preset.map(JSONValue.string) ?? .null,
      ])
      json["completions"] = .string(lesson.completions.rawValue)
      json["tokens"] = .int(result.tokens)
      json["answers"] = .array(
        result.answers.map {
          .object(["text": .string($0.text), "written": .array($0.written.map(JSONValue.string))])
        })
    }
    return json
  }

  private var timing: [String: JSONValue] {
    [
      "seconds": .double(trained.seconds), "training_seconds": .double(result.seconds),
      "tokens": .int(result.tokens),
      "tokens_per_second": .double(Double(result.tokens) / max(result.seconds, 1e-9)),
    ]
  }

  // MARK: all methods

  /// The tutorial's chapter on methods in one table. Each method's JSON stands under its name.
  static func comparison(of trainings: [FinishedTraining]) -> Report {
    var report = Report(verb: "finetune")
    guard let first = trainings.first?.model else { return report }
    report.blocks.append(
      .line(
        "\(counted(trainings.count, "method")) of fine-tuning \(first.base) on \(counted(first.examples, "label")) of \(first.dataset)"
      ))
    let heldOut = trainings.map(\.result.heldOutCount).max() ?? 0
    report.blocks.append(
      .table(
        Table(
          header: ["method", "model", "trainable", "held out", "95 % from", "95 % to", "on disk"],
          rows: trainings.map(\.row),
          alignments: [.left, .left, .right, .right, .right, .right, .right])))
    if heldOut > 0 {
      report.blocks.append(
        .line(
          "held out: accuracy on the same \(counted(heldOut, "example")); linear by leaving each out in turn")
      )
      report.blocks += difference(of: trainings)
    }
    report.json = ["dataset": .string(first.dataset), "base": .string(first.base), "held_out": .int(heldOut)]
    if let repeats = trainings.lazy.compactMap(\.repeats).first {
      report.json["held_out_groups"] = .int(repeats)
    }
    report.timing = [:]
    for training in trainings {
      report.json[training.options.method.rawValue] = .object(training.json)
      report.timing[training.options.method.rawValue] = .object(training.timing)
    }
    report.hint = "load other data, then validate --model NAME"
    return report
  }

  /// What the count of held-out texts can show at all, and whether it tells the two best methods apart.
  private static func difference(of trainings: [FinishedTraining]) -> [Block] {
    let ranked = trainings.filter { $0.result.heldOut != nil }
      .sorted { $0.result.heldOutAccuracy ?? 0 > $1.result.heldOutAccuracy ?? 0 }
    guard let best = ranked.first?.result.heldOut, ranked.count > 1, let second = ranked[1].result.heldOut
    else { return [] }
    let texts = best.isRightOfDifferent.count
    let least = (1...).first { McNemar(onlyFirst: $0, onlySecond: 0).isBeyondChance } ?? texts
    let test = McNemar(
      zip(best.isRightOfDifferent, second.isRightOfDifferent).map { (first: $0, second: $1) })
    let names = ranked.prefix(2).map(\.options.method.rawValue)
    return [
      .line(
        "\(counted(texts, "different text")) \(texts < least ? "are too few to compare by" : "held out"): \(least) must be right by one method alone before chance is ruled out"
      ),
      .derived([
        test.isBeyondChance
          ? "\(names[0]) is better than \(names[1]) beyond chance (McNemar's p \(fixed(test.pValue, 3)))"
          : "\(names[0]) and \(names[1]), the best two, cannot be told apart (McNemar's p \(fixed(test.pValue, 3)))"
      ]),
    ]
  }

  private var row: [Cell] {
    // Copies say nothing new: the interval is that of the different texts.
    let count = repeats ?? result.heldOutCount
    let right = result.heldOutAccuracy.map { Proportion(Int(($0 * Double(count)).rounded()), of: count) }
    let interval = right?.interval
    return [
      "\(model.method)", "\(model.name)", "\(grouped(result.trainableParameters))",
      right?.value.map { "\(.share($0, of: count))" } ?? "none",
      interval.map { "\(.intervalEnd($0.lowerBound, of: count))" } ?? "",
      interval.map { "\(.intervalEnd($0.upperBound, of: count))" } ?? "",
      "\(Bytes(model.bytes).description)",
    ]
  }
}

/// `22,565,000`: digits in threes, for people; the same in every locale.
func grouped(_ number: Int) -> String {
  var digits = String(number)
  var index = digits.count - 3
  while index > 0 {
    digits.insert(",", at: digits.index(digits.startIndex, offsetBy: index))
    index -= 3
  }
  return digits
}
