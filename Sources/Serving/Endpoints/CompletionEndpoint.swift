import Encoder
import Foundation

/// `/v1/completions`, and the place where clients of 2023 ask: `/v1/engines/{engine}/completions`, where the body's model counts.
///
/// A language model goes on with the text as it is: nothing is put before it. A classifier answers with the text's category.
public struct CompletionEndpoint: ServerPart {
  public init() {}

  private struct Request: Decodable {
    var prompt: Prompts?
    var logprobs: Int?
    var echo: Bool?
  }

  /// A text, several, token numbers, or several lists of them.
  private struct Prompts: Decodable {
    let all: [Prompt]

    enum Prompt: Sendable {
      case text(String)
      case ids([Int32])
    }

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let text = try? container.decode(String.self) {
        all = [.text(text)]
      } else if let texts = try? container.decode([String].self) {
        all = texts.map(Prompt.text)
      } else if let ids = try? container.decode([Int32].self) {
        all = [.ids(ids)]
      } else {
        all = try container.decode([[Int32]].self).map(Prompt.ids)
      }
    }
  }

  // MARK: - Answers

  private struct LogProbabilities: Encodable {
    var tokens: [String] = []
    var tokenLogprobs: [Double?] = []
    var topLogprobs: [[String: Double]?] = []
    var textOffset: [Int] = []

    /// - Parameter start: characters before the first token.
    init(_ told: [ToldToken], from start: inout Int) {
      for token in told {
        tokens.append(token.text)
        tokenLogprobs.append(token.logProbability)
        topLogprobs.append(
          token.logProbability.map { own in
            // The token itself is always among them. Of two that are spelled alike the more probable one is told.
            Dictionary(
              [(token.text, own)] + token.alternatives.map { ($0.text, $0.logProbability) },
              uniquingKeysWith: max)
          })
        textOffset.append(start)
        if !token.isEnd { start += String(decoding: token.bytes, as: UTF8.self).unicodeScalars.count }
      }
    }
  }

  private struct Answer: Encodable {
    let id: String
    let object = "text_completion"
    let created: Int
    let model: String
    var choices: [Choice] = []
    var usage: Usage?

    struct Choice: Encodable {
      let text: String
      let index: Int
      let logprobs: Nullable<LogProbabilities>
      let finishReason: Nullable<AnswerPart.End>
    }
  }

  // MARK: - Asking

  public var routes: [Route] {
    [
      Route(.post, "/v1/completions", Self.answer),
      Route(.post, "/v1/engines/:engine/completions", Self.answer),
    ]
  }

  /// One prompt of a request, understood.
  private struct Asked: Sendable {
    let model: LoadedModel
    let text: String
    /// For a language model.
    let ids: [Int32]
    let options: AnswerOptions
    let echo: Bool

    /// - Throws: `APIError` 400.
    init(_ prompt: Prompts.Prompt, _ model: LoadedModel, _ options: AnswerOptions, echo: Bool) throws {
      (self.model, self.options, self.echo) = (model, options, echo)
      guard case .language(let language) = model.kind else {
        guard case .text(let text) = prompt else {
          throw APIError.invalid("This model reads texts, not token numbers.", param: "prompt")
        }
        (self.text, ids) = (text, [])
        return
      }
      switch prompt {
      case .text(let text):
        self.text = text
        // What the model wants before every text; no client says it in words.
        let beginning = language.tokenizer.beginning.map { [BytePair.Part.special($0)] } ?? []
        ids = language.tokenizer.encode(beginning + [.text(text)]).ids
      case .ids(let ids):
        self.ids = ids
        text = language.tokenizer.decode(ids, specials: true)
      }
      guard !ids.isEmpty else { throw APIError.invalid("The prompt is empty.", param: "prompt") }
      _ = try language.room(behind: ids.count, for: options.maximum, isWish: false)
    }

    /// Characters before the first token that is told.
    var offset: Int { options.tellsPrompt ? 0 : text.unicodeScalars.count }

    var promptTokens: Int {
      if case .language = model.kind { return ids.count }
      return model.count(text)
    }

    /// - Returns: tokens written.
    func answer(_ choice: Int, _ context: ServerContext, give: (AnswerPart) async throws -> Void) async throws
      -> Int
    {
      let options = AnswerRequest.options(options, choice: choice)
      if echo { try await give(AnswerPart(text: text)) }
      switch model.kind {
      case .language(let language):
        return try await context.models.write(ids, by: language, options, give: give)
      case .classifier(let classifier):
        var count = 0
        try await context.models.classify(text, by: classifier, model, options) { part in
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
    guard let name = shared.model ?? request.parameters["engine"] else { throw APIError.missing("model") }
    guard let prompts = body.prompt else { throw APIError.missing("prompt") }
    var options = try shared.options()
    let echo = body.echo ?? false
    if let wanted = body.logprobs {
      options.alternatives = try AnswerRequest.check(wanted, 0...20, "logprobs")
      options.tellsPrompt = echo
    }
    let choices = shared.choices
    guard !prompts.all.isEmpty, prompts.all.count * choices <= AnswerRequest.mostChoices else {
      throw APIError.invalid(
        "A request takes 1 to \(AnswerRequest.mostChoices) prompts, times n.", param: "prompt")
    }
    let model = try await context.models.load(name, context)
    let asked = try prompts.all.map { try Asked($0, model, options, echo: echo) }
    let answer = Answer(id: ObjectID.make("cmpl-"), created: now(), model: name)
    let includesUsage = shared.includesUsage
    let promptTokens = asked.reduce(0) { $0 + $1.promptTokens }
    guard shared.isStreamed else {
      return try await whole(answer, asked, choices, promptTokens, context)
    }
    return .events { sink in
      let counts = try await answering(asked.count * choices) { number in
        let own = asked[number / choices]
        var offset = own.offset
        let wantsTokens = own.options.alternatives != nil
        return try await own.answer(number % choices, context) { part in
          var chunk = answer
          let told = wantsTokens && !part.tokens.isEmpty ? LogProbabilities(part.tokens, from: &offset) : nil
          chunk.choices = [
            .init(
              text: part.text, index: number, logprobs: Nullable(told), finishReason: Nullable(part.end))
          ]
          try await sink.send(chunk)
        }
      }
      if includesUsage {
        var chunk = answer
        chunk.usage = Usage(prompt: promptTokens, completion: counts.reduce(0, +))
        try await sink.send(chunk)
      }
      try await sink.done()
    }
  }

  private static func whole(
    _ answer: Answer, _ asked: [Asked], _ choices: Int, _ promptTokens: Int, _ context: ServerContext
  ) async throws -> ServerResponse {
    let found = try await answering(asked.count * choices) { number in
      let found = Gathered()
      found.count = try await asked[number / choices].answer(number % choices, context) { found.take($0) }
      return found
    }
    var answer = answer
    answer.choices = found.enumerated().map { number, found in
      let own = asked[number / choices]
      var offset = own.offset
      return .init(
        text: found.text, index: number,
        logprobs: Nullable(
          own.options.alternatives == nil ? nil : LogProbabilities(found.tokens, from: &offset)),
        finishReason: Nullable(found.end))
    }
    answer.usage = Usage(prompt: promptTokens, completion: found.reduce(0) { $0 + $1.count })
    return try .json(answer)
  }
}
