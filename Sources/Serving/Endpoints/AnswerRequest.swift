import Foundation

/// One value or several: `"stop": "\n"`, `"stop": ["\n", "END"]`.
struct OneOrMore<Value: Decodable & Sendable>: Decodable, Sendable {
  let values: [Value]

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let value = try? container.decode(Value.self) {
      values = [value]
    } else {
      values = try container.decode([Value].self)
    }
  }
}

/// The members that chat and completions share.
///
/// Members that nobody knows are ignored. Known ones that ask for another answer than would be given are refused by name.
struct AnswerRequest: Decodable, Sendable {
  var model: String?
  var maxTokens: Int?
  var maxCompletionTokens: Int?
  var temperature: Double?
  var topP: Double?
  var n: Int?
  var bestOf: Int?
  var seed: Int?
  var stop: OneOrMore<String>?
  var stream: Bool?
  var streamOptions: StreamOptions?
  var presencePenalty: Double?
  var frequencyPenalty: Double?
  var logitBias: [String: Double]?
  var suffix: String?

  struct StreamOptions: Decodable, Sendable {
    var includeUsage: Bool?
  }

  var isStreamed: Bool { stream ?? false }
  var includesUsage: Bool { streamOptions?.includeUsage ?? false }
  var choices: Int { n ?? 1 }

  /// Choices of a request at most, over all its prompts.
  static let mostChoices = 256

  /// - Throws: `APIError` 400.
  func options() throws -> AnswerOptions {
    var options = AnswerOptions()
    options.temperature = try Self.check(temperature ?? 1, 0...2, "temperature")
    options.topP = try Self.check(topP ?? 1, 0...1, "top_p")
    // None at all would be too few: the most probable one is always among them.
    options.topP = max(options.topP, .leastNonzeroMagnitude)
    _ = try Self.check(choices, 1...128, "n")
    if let bestOf, bestOf != choices {
      throw APIError.invalid("best_of other than n is not supported.", param: "best_of")
    }
    if let given = maxCompletionTokens ?? maxTokens {
      options.maximum = try Self.check(
        given, 0...1_000_000, maxCompletionTokens == nil ? "max_tokens" : "max_completion_tokens")
    }
    options.seed = seed.map { UInt64(bitPattern: Int64($0)) } ?? .random(in: 0...UInt64.max)
    options.stops = stop?.values ?? []
    guard options.stops.count <= 16, options.stops.allSatisfy({ $0.utf8.count <= 1000 }) else {
      throw APIError.invalid("stop takes at most 16 texts of 1,000 bytes.", param: "stop")
    }
    for (name, value) in [("presence_penalty", presencePenalty), ("frequency_penalty", frequencyPenalty)] {
      if let value, value != 0 {
        throw APIError.invalid("\(name) is not supported: leave it 0.", param: name)
      }
    }
    if let logitBias, !logitBias.isEmpty {
      throw APIError.invalid("logit_bias is not supported.", param: "logit_bias")
    }
    if let suffix, !suffix.isEmpty {
      throw APIError.invalid("suffix is not supported: the models here go on with a text.", param: "suffix")
    }
    return options
  }

  static func check<Value: Comparable>(_ value: Value, _ range: ClosedRange<Value>, _ name: String) throws
    -> Value
  {
    guard range.contains(value) else {
      throw APIError.invalid(
        "\(name) must be between \(range.lowerBound) and \(range.upperBound).", param: name)
    }
    return value
  }

  /// The same for one of several choices: each has draws of its own.
  static func options(_ options: AnswerOptions, choice: Int) -> AnswerOptions {
    var own = options
    own.seed = options.seed &+ UInt64(choice)
    return own
  }
}

/// When an answer was made, in seconds since 1970.
func now() -> Int { Int(Date().timeIntervalSince1970) }
