/// What a language model was taught with, and is asked by ever after.
public struct Taught: Codable, Equatable, Sendable {
  /// Without examples.
  public var prompt: Prompt
  /// In the order that the prompt lists them in.
  public var categories: [Category]
  public var completions: Completions
  /// Of a model that a file of prompts and answers taught: what it is to write for each category, to the letter, with the end of the
  /// text behind it. Nil for one that writes names or keys.
  public var answers: [String]?

  public struct Category: Codable, Equatable, Sendable {
    public var key: String
    public var name: String
  }

  /// What the model is to write for a category.
  public enum Completions: String, Codable, CaseIterable, Sendable {
    /// `WORLD NEWS`
    case names
    /// `WORLD_NEWS`, as the tutorial's notebook teaches.
    case keys
  }

  public init(prompt: Prompt, categories: [(key: String, name: String)], completions: Completions) {
    self.prompt = prompt
    self.prompt.examples = nil
    self.categories = categories.map { Category(key: $0.key, name: $0.name) }
    self.completions = completions
  }

  /// What is to be written for each category.
  package var words: [String] { categories.map { completions == .keys ? $0.key : $0.name } }
}
