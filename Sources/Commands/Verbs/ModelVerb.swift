import ArgumentParser
import Basics
import Foundation
import Shell
import Tasks
import Workbench

/// The pre-trained weights, which are too large for the project's own files.
struct ModelVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "model", abstract: "Install models, and choose the one that is base.",
    discussion: """
      The embedded model is all-MiniLM-L6-v2 (22.7 million weights, Apache-2.0), which reads English; it is fetched once, 91 MB, into your cache folder; after that \
      fettle needs no network. smollm2 is a language model, SmolLM2-135M-Instruct (135 million weights, Apache-2.0, 98 MB): it goes on \
      with a text, in English. --from takes any folder with a BERT in it (model.safetensors, vocab.txt, config.json) or with a model of \
      Llama's family (model.safetensors, tokenizer.json, config.json), or one GGUF file.

      Models stand side by side there. The first encoder is what base means; model use makes it another in this workspace. That is a step \
      of the session, so that a replay asks the same one. What was tuned on the one before goes on with it. While the environment \
      variable FETTLE_MODEL names a folder with a BERT in it, that is base in every workspace, whatever model use has said. A language model is never base; it \
      is asked by its name: --model smollm2.

      Examples:
        model install
        model install smollm2
        model install --from Downloads/all-MiniLM-L6-v2
        model install --from Downloads/all-MiniLM-L6-v2 --name minilm
        model use minilm

      Next: load FILE.
      """,
    subcommands: [Install.self, Use.self])

  struct Install: Verb {
    static let recording = Recording.nothing
    static let configuration = CommandConfiguration(
      commandName: "install", abstract: "Fetch a model, or take one from a folder or a GGUF file.")
    @Argument(
      help: ArgumentHelp(
        "Which one is fetched: \(ModelInstallation.fetchable.joined(separator: " or ")); the first where it is left out.",
        valueName: "known-model"))
    var model: Text?
    @Option(
      help: ArgumentHelp("A folder with a model in it, or a GGUF file.", valueName: "folder-or-file"),
      completion: .file(extensions: ["gguf"]))
    var from: Text?
    @Option(
      help: ArgumentHelp("What to call it; as its folder or file is called if left out.", valueName: "name"))
    var name: Text?
    @Flag(help: "Put it in the place of another model of that name.") var replace = false

    func perform(in context: Context) throws -> Effect {
      guard !context.files.isReplay else { throw CommandError.notInReplay(verb: "model install") }
      if let model, from != nil {
        throw CommandError.usage(
          "Name a model to fetch (\(model.description.visible)), or a place to take it from (--from), not both."
        )
      }
      let installation = ModelInstallation(
        context.encoders,
        progress: { [progress = context.progress] in
          progress.update(done: $0, total: $1, unit: "bytes", note: $2)
        }, isCancelled: context.isCancelled)
      let name = name?.description
      let installed =
        try from.map {
          try installation.copy(
            from: context.files.reading($0.description), as: name, replaces: replace, shownAs: $0.description)
        } ?? installation.fetch(model?.description, as: name, replaces: replace)
      return Effect { workbench in
        var report = Report(verb: "model install")
        let name = installed.model.name
        report.blocks.append(
          .line(
            installed.wasThere
              ? "\(name) is installed already." : "Installed \(name): \(Bytes(installed.bytes).description).")
        )
        report.json = [
          "model": .string(name), "bytes": .int(installed.bytes), "base": .bool(installed.isInitial),
        ]
        guard !installed.model.isGenerative else {
          report.hint = "predict --model \(name)"
          return report
        }
        let base = try workbench.chosenBase()?.name ?? context.encoders.initial?.name
        report.hint = base == name ? "load FILE" : "model use \(name), where base is to be this one"
        return report
      }
    }
  }

  struct Use: Verb {
    static let configuration = CommandConfiguration(
      commandName: "use", abstract: "Make another installed encoder base, in this workspace.")
    @Argument(help: ArgumentHelp("The installed model's name.", valueName: "installed-model")) var name: Text

    func perform(in context: Context) throws -> Effect {
      let models = context.models
      let model = try models.cache.model(named: name.description)
      guard !model.isGenerative else {
        throw TaskError.other(
          code: "model-encoder",
          "\(model.name) is a language model, which writes; base is an encoder, which compares. Ask it by its name, without making it "
            + "base: predict --model \(model.name)")
      }
      let chosen = try models.cache.reference(to: model)
      let before = try context.workspace.read(models.ownBaseReference)
      return Effect { workbench in
        try workbench.choose(base: chosen, insteadOf: before)
        var report = Report(verb: "model use")
        let now = chosen.description
        report.blocks.append(
          .line(before?.digest == chosen.digest ? "base stays \(now)." : "base is \(now) from here on."))
        let tuned = try workbench.models().filter { $0.encoder.map { $0.digest != chosen.digest } ?? false }
        if !tuned.isEmpty {
          let names = tuned.prefix(3).map(\.name).joined(separator: ", ")
          report.blocks.append(
            .line(
              "\(names)\(tuned.count > 3 ? " and \(tuned.count - 3) more" : "") \(tuned.count == 1 ? "goes" : "go") on with what \(tuned.count == 1 ? "it was" : "they were") trained on."
            ))
        }
        if let override = models.overrideRemark { report.blocks.append(.local([override])) }
        report.json = ["model": .string(name.description), "digest": .string(chosen.digest)]
        return report
      }
    }
  }
}
