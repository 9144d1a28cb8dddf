import Encoder
import Foundation

/// `/tokenizer_info`, `/tokenize` and `/detokenize` at the root, as vLLM has them: with these lm-eval needs no tokenizer of its own.
///
/// They are for the language model that a request names, and for the local one where it names none.
public struct TokenEndpoints: ServerPart {
  public init() {}

  private struct Info: Encodable {
    let tokenizerClass = "PreTrainedTokenizerFast"
    let eosToken: Nullable<String>
    let bosToken: Nullable<String>
    let chatTemplate: Nullable<String>
  }

  private struct Text: Decodable {
    var model: String?
    let prompt: String
    var addSpecialTokens: Bool?
  }

  private struct Tokens: Encodable {
    let count: Int
    let maxModelLen: Int
    let tokens: [Int32]
  }

  private struct IDs: Decodable {
    var model: String?
    let tokens: [Int32]
  }

  private struct Prompt: Encodable {
    let prompt: String
  }

  public var routes: [Route] {
    [
      Route(.get, "/tokenizer_info") { request, context in
        let language = try await Self.language(request[query: "model"], context)
        let tokenizer = language.tokenizer
        let end = language.chat.endOfText(tokenizer).first.map {
          String(decoding: language.bytes(of: $0), as: UTF8.self)
        }
        let beginning = tokenizer.beginning.map { String(decoding: language.bytes(of: $0), as: UTF8.self) }
        return try .json(
          Info(
            eosToken: Nullable(end), bosToken: Nullable(beginning),
            chatTemplate: Nullable(language.chat == .plain ? nil : language.chat.rawValue)))
      },
      Route(.post, "/tokenize") { request, context in
        let body: Text = try request.json()
        let language = try await Self.language(body.model, context)
        let isBegun = body.addSpecialTokens ?? true
        let beginning = isBegun ? language.tokenizer.beginning.map { [BytePair.Part.special($0)] } ?? [] : []
        // lm-eval says the end of text by its name where it means the token.
        let parts = language.tokenizer.parts(ofTemplate: body.prompt)
        let ids = language.tokenizer.encode(beginning + parts).ids
        return try .json(Tokens(count: ids.count, maxModelLen: language.longest, tokens: ids))
      },
      Route(.post, "/detokenize") { request, context in
        let body: IDs = try request.json()
        let language = try await Self.language(body.model, context)
        return try .json(Prompt(prompt: language.tokenizer.decode(body.tokens, specials: true)))
      },
    ]
  }

  /// - Throws: `APIError`.
  private static func language(_ name: String?, _ context: ServerContext) async throws -> LoadedModel.Language
  {
    guard let name = name ?? context.models.localLanguageModel else {
      throw APIError(
        404, "No language model is installed: fettle model install smollm2", code: "model_not_found")
    }
    guard case .language(let language) = try await context.models.load(name, context).kind else {
      throw APIError.invalid("\(name) does not write. Name a language model.", param: "model")
    }
    return language
  }
}
