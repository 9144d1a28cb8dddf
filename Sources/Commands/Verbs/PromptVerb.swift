import ArgumentParser
import Basics
import Classifiers
import Foundation
import Shell
import Tasks
import Workbench

/// The words that a language model is asked with, which the tutorial says to write with care.
struct PromptVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prompt", abstract: "Show or change what a language model is asked with.",
    discussion: """
      {text} stands for the text and {categories} for the interface's categories, with commas between; \\n is a line feed. --plain sends \
      the prompt as it is, and the model goes on with it; --chat sends it as a user's message in the model's chat template. A plain prompt \
      should end without a blank: a token begins with the blank before it.

      Presets: plain-category, the tutorial's instruction as plain text (the default); chat-tutorial, the same as a chat message; \
      short-plain, which leaves the instruction out. A name's beginning is enough.

      --examples N puts N labelled texts of a data set before the text, each with its category (few-shot): drawn by --seed, or with \
      --nearest those most like it; --examples 0 takes them out.

      Examples:
        prompt show
        prompt set --preset chat
        prompt set --plain "message: {text}\\nOne of {categories}:"
        prompt --examples 8 --dataset news-1
        prompt reset

      Next: classify --model smollm2 TEXT.
      """,
    subcommands: [Set.self, Show.self, Reset.self], defaultSubcommand: Set.self)

  struct Show: Verb {
    static let onlyLooks = true
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Show the prompt.")

    func perform(in context: Context) throws -> Effect {
      let chat = context.models.chatSentence
      return Effect { try Self.report("prompt show", chat, $0) }
    }

    static func report(_ verb: String, _ chat: String?, _ workbench: Workbench) throws -> Report {
      let prompt = try workbench.prompt
      var report = Report(verb: verb)
      let way = prompt.isChat ? "sent as a chat message" : "sent as plain text"
      report.blocks.append(
        .line("\(prompt.preset.map { "\($0), " } ?? "")\(way)"))
      report.blocks.append(.preformatted(prompt.template.lines.map { "  " + $0 }))
      if let examples = prompt.examples {
        let which =
          examples.areNearest ? "those nearest to each text" : "drawn by seed \(examples.seed)"
        report.blocks.append(
          .line("with \(counted(examples.count, "example")) of \(examples.dataset.visible), \(which)"))
      }
      if prompt.isChat, let chat { report.blocks.append(.local([chat])) }
      report.json = [
        "template": .string(prompt.template), "preset": prompt.preset.map(JSONValue.string) ?? .null,
        "chat": .bool(prompt.isChat),
        "examples": prompt.examples.map {
          .object([
            "dataset": .string($0.dataset), "count": .int($0.count), "nearest": .bool($0.areNearest),
            "seed": JSONValue(seed: $0.seed),
          ])
        } ?? .null,
      ]
      report.hint = "classify --model \(ModelCache.standardLanguageModelName) TEXT"
      return report
    }
  }

  struct Set: Verb, TextVerb {
    static let configuration = CommandConfiguration(
      commandName: "set", abstract: "Change the prompt; without anything, show it.")
    @Argument(help: "The prompt; the rest of the line.") var text: [Text] = []
    @Flag(help: "Send it as a user's message in the model's chat template.") var chat = false
    @Flag(help: "Send it as it is; the default.") var plain = false
    @Option(help: ArgumentHelp("A file with the prompt in it.", valueName: "file"), completion: .file())
    var file: Text?
    @Option(
      help: ArgumentHelp("One that comes with fettle.", valueName: "preset"),
      completion: .list(Classifiers.Prompt.presets.compactMap(\.preset)))
    var preset: Text?
    @Option(
      parsing: .unconditional,
      help: ArgumentHelp("How many labelled texts stand before the text; 0 for none.", valueName: "n"))
    var examples: Int?
    @OptionGroup var data: DatasetOption
    @Flag(help: "For each text the examples most like it.") var nearest = false
    @Option(help: ArgumentHelp("Draws the examples; config's seed if left out.", valueName: "seed"))
    var seed: UInt64?

    private static let mostExamples = 100

    func validate() throws {
      let given = [("a text", !text.isEmpty), ("--file", file != nil), ("--preset", preset != nil)]
        .filter(\.1).map(\.0)
      if given.count > 1 { throw ValidationError("\(given[0]) and \(given[1]) are two prompts: give one") }
      if preset?.description.isEmpty == true { throw ValidationError("--preset needs a name") }
      if chat, plain { throw ValidationError("--chat and --plain exclude each other") }
      if preset != nil, chat || plain { throw ValidationError("A preset says itself how it is sent") }
      if given.isEmpty, chat || plain {
        throw ValidationError("--\(chat ? "chat" : "plain") goes with a text or --file FILE")
      }
      if let examples, !(0...Self.mostExamples).contains(examples) {
        throw ValidationError("--examples goes from 0 to \(Self.mostExamples)")
      }
      if examples == nil, data.dataset != nil || nearest || seed != nil {
        throw ValidationError("--dataset, --nearest and --seed say which examples: they go with --examples N")
      }
    }

    func perform(in context: Context) throws -> Effect {
      let chosen = try chosen(context)
      let chat = context.models.chatSentence
      let verb = context.statement.words.dropFirst().first?.text == "set" ? "prompt set" : "prompt"
      let recordedOptions: (Workbench) throws -> [String] = { try self.recordedOptions($0) }
      return Effect(recordedOptions: recordedOptions) { workbench in
        let before = try workbench.prompt
        var prompt = chosen ?? before
        if let count = examples {
          prompt.examples =
            try count == 0
            ? nil
            : Classifiers.Prompt.Examples(
              dataset: data.resolve(workbench).name, count: count, areNearest: nearest,
              seed: nearest ? 0 : seed ?? context.seed)
          try workbench.checkExamples(of: prompt)
        }
        try workbench.set(prompt: prompt)
        var report = try Show.report(verb, chat, workbench)
        if !prompt.isChat, prompt.template.last?.isWhitespace == true, chosen != nil {
          report.blocks.append(
            .line("It ends in a blank, and tokens begin with theirs: the model will be less sure of itself."))
        }
        if let tuned = try workbench.recordedModels().last, tuned.isPrompted {
          report.blocks.append(
            .line("\(tuned.name) goes on being asked as it was taught: this prompt is for the others."))
        }
        if prompt != before, try workbench.hasLanguagePredictions {
          report.blocks.append(.line("predict asks again: what is kept was answered to another prompt."))
        }
        return report
      }
    }

    /// A replay takes the data set and the seed that were taken here.
    private func recordedOptions(_ workbench: Workbench) throws -> [String] {
      guard let examples, examples > 0 else { return [] }
      return try data.dataset == nil
        ? ["--dataset", Language.quoted(data.resolve(workbench).name)] : []
    }

    /// Nil where only the examples change.
    private func chosen(_ context: Context) throws -> Classifiers.Prompt? {
      if let name = preset?.description {
        guard let found = Classifiers.Prompt.preset(name) else {
          let names = Classifiers.Prompt.presets.compactMap(\.preset)
          let near = Basics.nearest(name, among: names).map { " Did you mean \($0)?" } ?? ""
          throw CommandError.usage(
            "There is no preset \(name.visible).\(near) There are: \(names.joined(separator: ", ")).")
        }
        return found
      }
      if let file = file?.description {
        var template = try context.files.text(of: file).text.replacing("\r\n", with: "\n")
        // Windows' editors begin a file with a mark, and all end it with a line feed; a prompt has neither.
        if template.unicodeScalars.first == "\u{FEFF}" { template.unicodeScalars.removeFirst() }
        if template.last?.isNewline == true { template.removeLast() }
        return try Self.prompt(template, chat)
      }
      return text.isEmpty ? nil : try Self.prompt(context.rest(text).withLineFeeds, chat)
    }

    private static func prompt(_ template: String, _ isChat: Bool) throws -> Classifiers.Prompt {
      if let known = Classifiers.Prompt.presets.first(where: {
        $0.template == template && $0.isChat == isChat
      }) {
        return known
      }
      do {
        return try Classifiers.Prompt(template: template, isChat: isChat)
      } catch let error as PromptError {
        throw CommandError.usage(error.description)
      }
    }
  }

  struct Reset: Verb {
    static let configuration = CommandConfiguration(
      commandName: "reset", abstract: "Go back to the prompt that fettle begins with.")

    func perform(in context: Context) throws -> Effect {
      let chat = context.models.chatSentence
      return Effect { workbench in
        try workbench.set(prompt: nil)
        return try Show.report("prompt reset", chat, workbench)
      }
    }
  }
}

extension ModelLibrary {
  /// How the installed language models mark a conversation's turns; nil where none is installed.
  var chatSentence: String? {
    let sentences = cache.languageModels.compactMap { model -> String? in
      guard let template = try? chatTemplate(of: model.name) else { return nil }
      return template == .plain
        ? "\(model.name) has no chat template, and is sent the message as it is."
        : "\(model.name)'s chat template is \(template.rawValue)."
    }
    return sentences.isEmpty ? nil : sentences.joined(separator: " ")
  }
}

extension String {
  /// Its lines, without their ends.
  var lines: [String] {
    split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map(String.init)
  }
}
