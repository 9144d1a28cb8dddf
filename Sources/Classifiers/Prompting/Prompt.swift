import Foundation

/// What a language model is asked with: a template, and how it is sent.
public struct Prompt: Sendable, Equatable, Codable {
  /// In which `{text}` stands for the text, and `{categories}` for the categories' names with commas between.
  public var template: String
  /// Whether it goes as the user's message in the model's chat template, without the template's own system message; else the
  /// model goes on with it as it is.
  public var isChat: Bool
  /// What a chat begins with, as the system's message; nil for nothing.
  public var system: String?
  /// The preset's name; nil for a template of the learner's own.
  public var preset: String?
  /// Labelled examples that go before the text; nil for none.
  public var examples: Examples?

  /// Which assets become examples (few-shot: Brown et al. 2020).
  public struct Examples: Sendable, Equatable, Codable {
    public var dataset: String
    public var count: Int
    /// Whether each text gets those most like it; else all get the same, drawn by `seed`.
    public var areNearest: Bool
    public var seed: UInt64

    public init(dataset: String, count: Int, areNearest: Bool, seed: UInt64) {
      (self.dataset, self.count, self.areNearest, self.seed) = (dataset, count, areNearest, seed)
    }
  }

  public static let textPlaceholder = "{text}"
  public static let categoriesPlaceholder = "{categories}"

  private init(preset: String, template: String, isChat: Bool) {
    (self.preset, self.template, self.isChat) = (preset, template, isChat)
  }

  /// - Throws: `PromptError` where the template has no `{text}`.
  public init(template: String, isChat: Bool) throws {
    guard template.contains(Self.textPlaceholder) else { throw PromptError.noText(template) }
    self.template = template
    self.isChat = isChat
  }

  // MARK: - Presets

  private static let instruction =
    "Classify the text of the following message as exactly one of the following: {categories}.\nmessage: {text}\n"

  /// The default first: the tutorial's instruction as the plain text that Curie was sent.
  public static let presets = [
    Prompt(preset: "plain-category", template: instruction + "category:", isChat: false),
    Prompt(preset: "chat-tutorial", template: instruction + "text:", isChat: true),
    Prompt(preset: "short-plain", template: "message: {text}\ncategory:", isChat: false),
  ]

  public static var standard: Prompt { presets[0] }

  /// The preset of that name, or the only one whose name begins so.
  public static func preset(_ name: String) -> Prompt? {
    if let exact = presets.first(where: { $0.preset == name }) { return exact }
    let found = presets.filter { !name.isEmpty && $0.preset?.hasPrefix(name) == true }
    return found.count == 1 ? found[0] : nil
  }

  // MARK: - Writing it out

  /// A labelled text.
  public struct Example: Sendable, Equatable {
    public var text: String
    /// The category's name, as the model is to write it.
    public var category: String

    public init(text: String, category: String) { (self.text, self.category) = (text, category) }
  }

  /// What is said: a plain text is one turn of the user's, a chat with examples several.
  public struct Turn: Equatable, Sendable {
    public var role: Role
    public var text: String

    public enum Role: String, Sendable {
      case system, user, assistant
    }

    public init(_ role: Role, _ text: String) { (self.role, self.text) = (role, text) }
  }

  /// - Parameter categories: names, in the interface's order.
  func turns(for text: String, examples: [Example], categories: [String]) -> [Turn] {
    guard isChat else {
      return [Turn(.user, plain(text, examples, categories))]
    }
    let shown = examples.flatMap {
      [Turn(.user, filled(template, $0.text, categories)), Turn(.assistant, $0.category)]
    }
    return (system.map { [Turn(.system, $0)] } ?? []) + shown
      + [Turn(.user, filled(template, text, categories))]
  }

  /// The instruction once; what stands around the text again for each example, with its answer.
  private func plain(_ text: String, _ examples: [Example], _ categories: [String]) -> String {
    guard !examples.isEmpty, let place = template.range(of: Self.textPlaceholder) else {
      return filled(template, text, categories)
    }
    let start =
      template[..<place.lowerBound].lastIndex(where: \.isNewline).map(template.index(after:))
      ?? template.startIndex
    let body = String(template[start...])
    let shown = examples.map { example in
      filled(body, example.text, categories) + completion(of: example.category) + "\n"
    }
    return filled(String(template[..<start]), text, categories) + shown.joined()
      + filled(body, text, categories)
  }

  /// What the model is to write for a category: in plain text behind a blank, as a word follows a colon. A template that ends in a
  /// blank has it already.
  public func completion(of category: String) -> String {
    isChat || template.last?.isWhitespace == true ? category : " " + category
  }

  /// Both placeholders filled in one go: neither a text nor a name is searched for placeholders.
  private func filled(_ template: String, _ text: String, _ categories: [String]) -> String {
    var result = ""
    var rest = template[...]
    while let brace = rest.firstIndex(of: "{") {
      result += rest[..<brace]
      rest = rest[brace...]
      if rest.hasPrefix(Self.textPlaceholder) {
        result += text
        rest = rest.dropFirst(Self.textPlaceholder.count)
      } else if rest.hasPrefix(Self.categoriesPlaceholder) {
        result += categories.joined(separator: ", ")
        rest = rest.dropFirst(Self.categoriesPlaceholder.count)
      } else {
        result.append(rest.removeFirst())
      }
    }
    return result + rest
  }
}

/// What is wrong with a prompt.
public enum PromptError: Error, Equatable, CustomStringConvertible {
  case noText(String)
  /// Without a text it already has more tokens than the model reads, `maximum`.
  case tooLong(tokens: Int, maximum: Int)

  public var description: String {
    switch self {
    case .noText(let template):
      template.isEmpty
        ? "The prompt is empty. It needs {text} where the text is to stand, such as: message: {text}\\ncategory:"
        : "The prompt has no {text}, so no text would be sent. Put {text} where the text is to stand."
    case .tooLong(let tokens, let maximum):
      "The prompt alone has \(tokens) tokens, and the model reads at most \(maximum). Shorten it (prompt set), or take fewer "
        + "examples (prompt --examples N)."
    }
  }
}
