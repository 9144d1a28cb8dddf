import ArgumentParser
import Classifiers
import Tasks

/// How a language model is asked: `--decide`, `--calibrate`, `--filter tutorial`.
struct WayOption: ParsableArguments {
  enum Filter: String, ExpressibleByArgument, CaseIterable { case first, tutorial }

  @Flag(help: "A language model weighs the categories' names instead of writing.") var decide = false
  @Flag(help: "The same, divided by what it says without a text (Zhao et al. 2021).") var calibrate = false
  @Option(
    help: ArgumentHelp(
      "How a written answer is read: by the category named first, or as the tutorial's notebook does.",
      valueName: "filter"))
  var filter: Filter?

  func validate() throws {
    if filter == .tutorial, decide || calibrate {
      throw ValidationError("--filter tutorial reads what a model writes; with --decide it writes nothing")
    }
  }

  /// Nil where none is asked for.
  var way: AnswerWay? {
    calibrate ? .calibrate : decide ? .decide : filter.map { $0 == .tutorial ? .tutorial : .free }
  }

  /// The model, asked in this way.
  /// - Throws: `CommandError` where it is no language model.
  func applied(to model: ModelSelection) throws -> ModelSelection {
    guard let way else { return model }
    guard let asked = model.asked(way) else {
      let option = calibrate ? "--calibrate" : decide ? "--decide" : "--filter"
      throw CommandError.usage(
        "\(option) is for language models, and \(model.name) compares or has a head of its own. Name one: --model \(ModelCache.standardLanguageModelName)"
      )
    }
    return asked
  }
}
