import Classifiers
import Encoder
import Foundation

/// `/v1/chat/completions`
///
/// A language model is asked in its own chat template; a classifier, base or tuned, answers with the category of the last message of
/// the user's. Tools, images and sound are refused.
public struct ChatEndpoint: ServerPart {
  public init() {}

  /// Tokens of an answer where the request names no bound.
  static let maximum = 512

  private struct Request: Decodable {
    let messages: [Message]
    var logprobs: Bool?
    var topLogprobs: Int?
    var tools: [Ignored]?
    var functions: [Ignored]?
    var responseFormat: ResponseFormat?

    struct Ignored: Decodable {
      init(from decoder: any Decoder) {}
    }

    struct ResponseFormat: Decodable {
      var type: String?
    }

    struct Message: Decodable {
      let role: String
      let content: Content?
    }

    /// A text, or parts of one.
    struct Content: Decodable {
      let text: String

      private struct Part: Decodable {
        let type: String
        let text: String?
      }

      init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let text = try? container.decode(String.self) {
          self.text = text
          return
        }
        text = try container.decode([Part].self).map { part in
          guard part.type == "text", let text = part.text else {
            throw APIError.invalid(
              "The models here read texts: a content part of type \(part.type) is not supported.",
              param: "messages")
          }
          return text
        }.joined(separator: "\n")
      }
    }

    /// - Throws: `APIError` 400.
    var turns: [Prompt.Turn] {
      get throws {
        guard !messages.isEmpty else { throw APIError.invalid("messages is empty.", param: "messages") }
        return try messages.enumerated().map { number, message in
          let text = message.content?.text ?? ""
          switch message.role {
          case "system", "developer": return Prompt.Turn(.system, text)
          case "user": return Prompt.Turn(.user, text)
          case "assistant": return Prompt.Turn(.assistant, text)
          default:
            throw APIError.invalid(
              "A message's role is system, developer, user or assistant.", param: "messages.\(number).role")
          }
        }
      }
    }
  }

  // MARK: - Answers

  private struct LogProbability: Encodable {
    let token: String
    let logprob: Double
    let bytes: [UInt8]
  }

  private struct TokenLogProbability: Encodable {
    let token: String
    let logprob: Double
    let bytes: [UInt8]
    let topLogprobs: [LogProbability]

    init(_ token: ToldToken) {
      (self.token, bytes) = (token.text, token.bytes)
      logprob = token.logProbability ?? 0
      topLogprobs = token.alternatives.map {
        LogProbability(token: $0.text, logprob: $0.logProbability, bytes: $0.bytes)
      }
    }
  }

  private struct LogProbabilities: Encodable {
    let content: [TokenLogProbability]
    let refusal = Nullable<[String]>(nil)

    init(_ tokens: [ToldToken]) { content = tokens.filter { !$0.isEnd }.map(TokenLogProbability.init) }
  }

  private struct Answer: Encodable {
    let id: String
    let object = "chat.completion"
    let created: Int
    let model: String
    let choices: [Choice]
    let usage: Usage

    struct Choice: Encodable {
      let index: Int
      let message: Message
      let logprobs: Nullable<LogProbabilities>
      let finishReason: AnswerPart.End
    }

    struct Message: Encodable {
      let role = "assistant"
      let content: String
      let refusal = Nullable<String>(nil)
      let annotations: [String] = []
    }
  }

  private struct Chunk: Encodable {
    let id: String
    let object = "chat.completion.chunk"
    let created: Int
    let model: String
    var choices: [Choice] = []
    var usage: Usage?

    struct Choice: Encodable {
      let index: Int
      let delta: Delta
      let logprobs: Nullable<LogProbabilities>
      let finishReason: Nullable<AnswerPart.End>
    }

    struct Delta: Encodable {
      var role: String?
      var content: String?
    }
  }

  // MARK: - Asking

  public var routes: [Route] { [Route(.post, "/v1/chat/completions", Self.answer)] }

  /// One request, understood.
  private struct Asked: Sendable {
    let id = ObjectID.make("chatcmpl-")
    let created = now()
    let name: String
    let model: LoadedModel
    let turns: [Prompt.Turn]
    let options: AnswerOptions
    let choices: Int
    /// The prompt's tokens.
    let prompt: [Int32]

    var promptTokens: Int {
      if case .language = model.kind { return prompt.count }
      return model.count(question)
    }

    /// What the user said last.
    var question: String { turns.last { $0.role == .user }?.text ?? "" }

    /// - Returns: tokens written.
    func answer(_ choice: Int, _ context: ServerContext, give: (AnswerPart) async throws -> Void) async throws
      -> Int
    {
      let options = AnswerRequest.options(options, choice: choice)
      switch model.kind {
      case .language(let language):
        return try await context.models.write(prompt, by: language, options, give: give)
      case .classifier(let classifier):
        var count = 0
        try await context.models.classify(question, by: classifier, model, options) { part in
          count += model.count(part.text)
          try await give(part)
        }
        return count
      case .encoderAlone(let error): throw error
      }
    }
  }

  @Sendable
  private static func answer(_ request: ServerRequest, _ context: ServerContext) async throws
    -> ServerResponse
  {
    let shared: AnswerRequest = try request.json()
    let body: Request = try request.json()
    guard let name = shared.model else { throw APIError.missing("model") }
    var options = try shared.options()
    if body.logprobs == true {
      options.alternatives = try AnswerRequest.check(body.topLogprobs ?? 0, 0...20, "top_logprobs")
    } else if let wanted = body.topLogprobs, wanted > 0 {
      throw APIError.invalid("top_logprobs needs logprobs: true.", param: "top_logprobs")
    }
    if body.tools?.isEmpty == false || body.functions?.isEmpty == false {
      throw APIError.invalid("The models here call no tools.", param: "tools")
    }
    if let type = body.responseFormat?.type, type != "text" {
      throw APIError.invalid(
        "The models here write text, and promise no other format.", param: "response_format")
    }
    let turns = try body.turns
    let model = try await context.models.load(name, context)
    var prompt: [Int32] = []
    if case .language(let language) = model.kind {
      let beginning = language.tokenizer.beginning.map { [BytePair.Part.special($0)] } ?? []
      prompt = language.tokenizer.encode(beginning + language.chat.parts(turns, language.tokenizer)).ids
      let isBounded = (shared.maxCompletionTokens ?? shared.maxTokens) != nil
      if !isBounded { options.maximum = maximum }
      options.maximum = try language.room(behind: prompt.count, for: options.maximum, isWish: !isBounded)
      if options.maximum == 0 {
        throw APIError.invalid("max_tokens must be 1 or more.", param: "max_tokens")
      }
    }
    let asked = Asked(
      name: name, model: model, turns: turns, options: options, choices: shared.choices, prompt: prompt)
    guard shared.isStreamed else { return try await whole(asked, context) }
    let includesUsage = shared.includesUsage
    return .events { sink in try await stream(asked, context, includesUsage, to: sink) }
  }

  private static func whole(_ asked: Asked, _ context: ServerContext) async throws -> ServerResponse {
    let answers = try await answering(asked.choices) { choice in
      let found = Gathered()
      found.count = try await asked.answer(choice, context) { found.take($0) }
      return (choice, found)
    }
    let usage = Usage(
      prompt: asked.promptTokens, completion: answers.reduce(0) { $0 + $1.1.count })
    let choices = answers.map { choice, found in
      Answer.Choice(
        index: choice, message: .init(content: found.text),
        logprobs: Nullable(asked.options.alternatives == nil ? nil : LogProbabilities(found.tokens)),
        finishReason: found.end)
    }
    return try .json(
      Answer(id: asked.id, created: asked.created, model: asked.name, choices: choices, usage: usage))
  }

  private static func stream(
    _ asked: Asked, _ context: ServerContext, _ includesUsage: Bool, to sink: EventSink
  ) async throws {
    @Sendable
    func send(_ choice: Int, _ delta: Chunk.Delta, _ tokens: [ToldToken] = [], end: AnswerPart.End? = nil)
      async throws
    {
      let told = asked.options.alternatives != nil && !tokens.isEmpty ? LogProbabilities(tokens) : nil
      try await sink.send(
        Chunk(
          id: asked.id, created: asked.created, model: asked.name,
          choices: [.init(index: choice, delta: delta, logprobs: Nullable(told), finishReason: Nullable(end))]
        )
      )
    }
    for choice in 0..<asked.choices { try await send(choice, .init(role: "assistant", content: "")) }
    let counts = try await answering(asked.choices) { choice in
      try await asked.answer(choice, context) { part in
        if !part.text.isEmpty || part.tokens.contains(where: { !$0.isEnd }) {
          try await send(choice, .init(content: part.text), part.tokens)
        }
        if let end = part.end { try await send(choice, .init(), end: end) }
      }
    }
    if includesUsage {
      let usage = Usage(prompt: asked.promptTokens, completion: counts.reduce(0, +))
      try await sink.send(
        Chunk(id: asked.id, created: asked.created, model: asked.name, usage: usage))
    }
    try await sink.done()
  }
}

/// A whole answer from its parts. Used by one task at a time.
final class Gathered: @unchecked Sendable {
  var text = ""
  var tokens: [ToldToken] = []
  var end = AnswerPart.End.length
  var count = 0

  func take(_ part: AnswerPart) {
    text += part.text
    tokens += part.tokens
    end = part.end ?? end
  }
}

/// Several answers at once, in order; the first that fails ends the others.
func answering<Result: Sendable>(_ count: Int, _ body: @escaping @Sendable (Int) async throws -> Result)
  async throws
  -> [Result]
{
  try await withThrowingTaskGroup(of: (Int, Result).self) { group in
    for number in 0..<count { group.addTask { (number, try await body(number)) } }
    var found: [Int: Result] = [:]
    for try await (number, result) in group { found[number] = result }
    return (0..<count).compactMap { found[$0] }
  }
}

extension LoadedModel.Language {
  /// Tokens that can be written behind a prompt.
  /// - Parameter isWish: whether fewer will do.
  /// - Throws: `APIError` 400 where the model reads no more.
  func room(behind prompt: Int, for maximum: Int, isWish: Bool) throws -> Int {
    let room = longest - prompt
    guard room >= (isWish ? 1 : maximum) else {
      throw APIError.invalid(
        "This model's maximum context length is \(longest) tokens, and you asked for \(prompt + (isWish ? 1 : maximum)) "
          + "(\(prompt) in the prompt, \(isWish ? 1 : maximum) to be written).",
        param: "messages", code: "context_length_exceeded")
    }
    return min(room, maximum)
  }
}
