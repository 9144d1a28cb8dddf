import ArgumentParser
import Basics
import Classifiers
import Encoder
import Foundation
import Shell
import Tasks
import Workbench

/// Cell 10 of the tutorial: the models there are.
struct Models: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "models", abstract: "List the models, or remove one.",
    discussion: """
      base is the embedded model; the others were tuned in this workspace. A linear model is a few kilobytes, a full one \
      as large as its base. Below them stand those that programs have tuned through serve, which no document makes again, and \
      the pre-trained models that are installed: encoders, any of which model use makes base, \
      and language models, which are asked by their names. Where FETTLE_MODEL is set, its folder's model is base instead, and the list says so.

      Examples:
        models
        models remove tuned-1

      Next: validate --model NAME.
      """,
    subcommands: [List.self, Remove.self], defaultSubcommand: List.self)

  struct List: Verb {
    static let onlyLooks = true
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List the models.")

    func perform(in context: Context) throws -> Effect {
      let models = context.models
      let installed = models.cache.installed.map { (model: $0, facts: $0.facts) }
      return Effect { workbench in
        let base = try models.baseReference(workbench)
        let isThere = (try? models.base(workbench)) != nil
        var report = Report(verb: "models")
        let missing = models.cache.override == nil ? "not installed: model install" : "none in FETTLE_MODEL"
        let name = base?.name.map { isThere ? $0 : "\($0), not installed" } ?? missing
        let first: [Cell] = ["base", "\(name)", "", "", "", ""]
        let tuned = try workbench.models()
        report.blocks.append(
          .table(
            Table(
              header: ["model", "from", "method", "trained on", "labels", "on disk"],
              rows: [first]
                + tuned.filter { !$0.isOrdered }.map {
                  [
                    "\($0.name)", "\(Self.origin(of: $0, base))", "\($0.method)", "\($0.dataset)",
                    "\($0.examples)", "\(Bytes($0.bytes).description)",
                  ]
                }, alignments: [.left, .left, .left, .left, .right, .right], keepsNames: true)))
        report.blocks.append(
          .local(
            [models.overrideRemark].compactMap(\.self)
              + tuned.filter(\.isOrdered).map(Self.sentence)
              + installed.map { "installed: " + Self.sentence($0.model, $0.facts) }))
        report.json = [
          "fettle_model": models.cache.override.map { .string($0.path) } ?? .null,
          "embedded": isThere ? base?.name.map(JSONValue.string) ?? .null : .null,
          "installed": .array(installed.map { Self.json($0.model, $0.facts) }),
          "models": .array(tuned.map(Self.json)),
        ]
        return report
      }
    }

    /// `base`, or the name of the encoder where base is another by now.
    private static func origin(of model: TunedModel, _ base: EncoderReference?) -> String {
      guard model.base == Workbench.baseModel, let encoder = model.encoder, let name = encoder.name,
        let base, base.digest != encoder.digest
      else { return model.base }
      return name
    }

    private static func sentence(_ model: TunedModel) -> String {
      "\(model.name): tuned by serve from \(model.base), \(model.method), on \(model.dataset.visible), "
        + "\(counted(model.examples, "example")), \(Bytes(model.bytes)); no part of the document"
    }

    private static func sentence(_ model: InstalledModel, _ facts: InstalledModel.Facts) -> String {
      let card = facts.card
      return [
        "\(model.name): \(facts.isGenerative ? "language model, " : "")\(facts.family.map { $0.visible } ?? "family unknown")",
        Bytes(facts.bytes).description,
        facts.longest.map { "reads \($0) tokens" } ?? "longest text unknown",
        card.licence?.visible ?? "licence unknown",
        card.language.map { "language \($0.visible)" } ?? "language unknown",
        card.source.map { "from \($0.visible)" } ?? "source unknown",
      ].joined(separator: ", ") + (facts.isGenerative ? "; asked by predict --model \(model.name)" : "")
    }

    private static func json(_ model: InstalledModel, _ facts: InstalledModel.Facts) -> JSONValue {
      func text(_ value: String?) -> JSONValue { value.map(JSONValue.string) ?? .null }
      return .object([
        "name": .string(model.name), "family": text(facts.family),
        "kind": .string(facts.isGenerative ? "language-model" : "encoder"), "bytes": .int(facts.bytes),
        "longest": facts.longest.map(JSONValue.int) ?? .null, "licence": text(facts.card.licence),
        "language": text(facts.card.language), "source": text(facts.card.source),
      ])
    }

    private static func json(_ model: TunedModel) -> JSONValue {
      .object([
        "name": .string(model.name), "base": .string(model.base), "method": .string(model.method),
        "dataset": .string(model.dataset), "examples": .int(model.examples), "bytes": .int(model.bytes),
        "encoder": model.encoder?.name.map(JSONValue.string) ?? .null,
        "final_loss": .double(model.finalLoss ?? .nan),
        "held_out_accuracy": .double(model.heldOutAccuracy ?? .nan),
      ])
    }
  }

  struct Remove: Verb {
    static let configuration = CommandConfiguration(
      commandName: "remove", abstract: "Remove a tuned model with its predictions.")
    @Argument(help: ArgumentHelp("The model's name.", valueName: "tuned-model")) var name: Text

    func perform(in context: Context) throws -> Effect {
      var removed: TunedModel?
      let removeFiles = { removed.map(context.workspace.removeFiles) ?? () }
      return Effect(afterCommit: removeFiles) { workbench in
        let selection = try context.models.model(named: name.description, workbench)
        guard case .tuned(let model, _) = selection else {
          throw CommandError.usage("\(selection.name) is an installed model itself and stays.")
        }
        if let other = try workbench.models().first(where: { $0.base == model.name }) {
          throw CommandError.inUse(model: model.name, by: other.name)
        }
        try workbench.remove(model: model)
        removed = model
        var report = Report(verb: "models remove")
        report.blocks.append(
          .line("Removed \(model.name) and its predictions (\(Bytes(model.bytes).description))."))
        report.json = ["model": .string(model.name), "bytes": .int(model.bytes)]
        return report
      }
    }
  }
}

extension ModelLibrary {
  /// What whoever asks which model is base has to know of this machine.
  var overrideRemark: String? {
    if let error = cache.overrideError { return error.description }
    return cache.override.map {
      "FETTLE_MODEL names \($0.path.visible): that is base in every workspace while it is set, whatever model use has said."
    }
  }

  /// What is said of a name that no model has here, and an installed one has elsewhere; nil where none has.
  func explain(unknown name: String) -> Diagnostic? {
    guard let model = try? cache.model(named: name) else {
      let standard = ModelCache.standardLanguageModelName
      guard AnswerWay.split(name).name == standard else { return nil }
      return Diagnostic(
        code: "no-language-model",
        message: "\(standard) is not installed. Fetch it once: model install \(standard)")
    }
    guard !model.isGenerative else {
      return Diagnostic(
        code: "model-encoder",
        message:
          "\(name) is a language model, and an encoder is wanted here. Ask it so: predict --model \(name)")
    }
    let isBase = (try? workspace.read(base)) == model
    return Diagnostic(
      code: "model-not-base",
      message: isBase
        ? "\(name) is what base is here. Name it so: base"
        : "\(name) is installed, and base is another here. Make it base: model use \(name)")
  }
}
