import Encoder
import Foundation

/// `/v1/embeddings`: texts as vectors of length one, by an encoder, base or tuned.
public struct EmbeddingEndpoint: ServerPart {
  public init() {}

  /// Texts of a request at most.
  static let mostInputs = 2048

  private struct Request: Decodable {
    var model: String?
    var input: Inputs?
    var encodingFormat: String?
    var dimensions: Int?
  }

  /// A text, several, token numbers, or several lists of them.
  private struct Inputs: Decodable {
    let all: [Input]

    enum Input: Sendable {
      case text(String)
      case ids([Int32])
    }

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let text = try? container.decode(String.self) {
        all = [.text(text)]
      } else if let texts = try? container.decode([String].self) {
        all = texts.map(Input.text)
      } else if let ids = try? container.decode([Int32].self) {
        all = [.ids(ids)]
      } else {
        all = try container.decode([[Int32]].self).map(Input.ids)
      }
    }
  }

  public var routes: [Route] { [Route(.post, "/v1/embeddings", maximumBody: 16 << 20, Self.answer)] }

  @Sendable
  private static func answer(_ request: ServerRequest, _ context: ServerContext) async throws
    -> ServerResponse
  {
    let body: Request = try request.json()
    guard let name = body.model else { throw APIError.missing("model") }
    guard let inputs = body.input?.all else { throw APIError.missing("input") }
    guard (1...mostInputs).contains(inputs.count) else {
      throw APIError.invalid("A request takes 1 to \(mostInputs) texts.", param: "input")
    }
    let isBase64: Bool
    switch body.encodingFormat ?? "float" {
    case "float": isBase64 = false
    case "base64": isBase64 = true
    default: throw APIError.invalid("encoding_format is float or base64.", param: "encoding_format")
    }
    let model = try await context.models.load(name, context)
    guard let encoder = model.encoder else {
      throw APIError.invalid(
        "\(name) writes, and gives a text no place. Ask an encoder: base", param: "model")
    }
    let width = encoder.model.shape.hiddenSize
    if let dimensions = body.dimensions { _ = try AnswerRequest.check(dimensions, 1...width, "dimensions") }
    let encodings = try inputs.enumerated().map { number, input in
      let encoding: Encoding
      switch input {
      case .text(let text): encoding = encoder.encode(text)
      case .ids(let ids):
        guard ids.count <= encoder.model.maximumLength,
          ids.allSatisfy({ 0..<encoder.model.tokenizer.count ~= Int($0) })
        else {
          throw APIError.invalid(
            "Input \(number) has more tokens than the model reads, or one that it does not know.",
            param: "input")
        }
        encoding = encoder.model.tokenizer.encoding(of: ids)
      }
      guard !encoding.ids.isEmpty else { throw APIError.invalid("Input \(number) is empty.", param: "input") }
      return encoding
    }
    var vectors = try await context.models.embedding.run(encodings, in: model.id) {
      try encoder.embeddings($0, isCancelled: { false })
    }
    if let dimensions = body.dimensions, dimensions < width {
      vectors = vectors.map { shortened($0, to: dimensions) }
    }
    let tokens = encodings.reduce(0) { $0 + $1.ids.count }
    return try answer(vectors, isBase64, tokens, by: name)
  }

  /// The beginning of a vector, scaled to length one.
  private static func shortened(_ vector: [Float], to count: Int) -> [Float] {
    let part = vector.prefix(count)
    let length = part.reduce(Float(0)) { $0 + $1 * $1 }.squareRoot()
    return part.map { length > 0 ? $0 / length : $0 }
  }

  /// Written by hand: an encoder of anything would take longer than the model.
  private static func answer(_ vectors: [[Float]], _ isBase64: Bool, _ tokens: Int, by name: String) throws
    -> ServerResponse
  {
    var json = Data(#"{"object":"list","data":["#.utf8)
    for (index, vector) in vectors.enumerated() {
      json.append(
        contentsOf: "\(index > 0 ? "," : ""){\"object\":\"embedding\",\"index\":\(index),\"embedding\":".utf8)
      if isBase64 {
        let bytes = vector.withUnsafeBytes { Data($0) }
        json.append(UInt8(ascii: "\""))
        json.append(bytes.base64EncodedData())
        json.append(UInt8(ascii: "\""))
      } else {
        json.append(UInt8(ascii: "["))
        for (place, number) in vector.enumerated() {
          json.append(contentsOf: (place > 0 ? ",\(number)" : "\(number)").utf8)
        }
        json.append(UInt8(ascii: "]"))
      }
      json.append(UInt8(ascii: "}"))
    }
    json.append(contentsOf: #"],"model":"#.utf8)
    json.append(try JSON.data(name))
    json.append(contentsOf: ",\"usage\":{\"prompt_tokens\":\(tokens),\"total_tokens\":\(tokens)}}".utf8)
    return ServerResponse(headers: [("content-type", "application/json")], body: .bytes(json))
  }
}
