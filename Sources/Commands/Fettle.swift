import ArgumentParser

/// The root of all verbs, in the order of the tour.
struct Fettle: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fettle", abstract: "Fine-tune text classifiers, one verb at a time.",
    subcommands: [
      Load.self, InterfaceVerb.self, Tokens.self, Embed.self, Complete.self, PromptVerb.self, Classify.self,
      Predict.self, LabelVerb.self,
      KPI.self, Show.self, FineTune.self, Export.self, Validate.self, Models.self, Datasets.self,
      Status.self, ModelVerb.self, Expect.self, SetVariable.self, For.self, Config.self, Note.self,
      SessionVerb.self, Reset.self, Replay.self, Run.self, Serve.self, Tour.self, History.self, Clear.self,
      Help.self, Quit.self,
    ])
}
