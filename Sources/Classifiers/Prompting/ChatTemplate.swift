import Encoder
import Foundation

/// How a model marks the turns of a conversation, recognised by the special tokens that its tokenizer has.
public enum ChatTemplate: String, Sendable {
  /// `<|im_start|>user\n…<|im_end|>\n` (OpenAI's Chat Markup Language): SmolLM2, Qwen2.
  case chatML = "ChatML"
  /// `<|start_header_id|>user<|end_header_id|>\n\n…<|eot_id|>` (Llama 3's model card).
  case llama3 = "Llama 3"
  /// A model without one goes on with plain text.
  case plain

  public init(_ tokenizer: BytePair) {
    func has(_ names: String...) -> Bool { names.allSatisfy { tokenizer.id(of: $0) != nil } }
    if has("<|im_start|>", "<|im_end|>") {
      self = .chatML
    } else if has("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>") {
      self = .llama3
    } else {
      self = .plain
    }
  }

  /// The turns with the marks between, up to where the model's answer begins. What is said stays text, whatever marks it spells.
  public func parts(_ turns: [Prompt.Turn], _ tokenizer: BytePair) -> [BytePair.Part] {
    func mark(_ name: String) -> [BytePair.Part] { tokenizer.id(of: name).map { [.special($0)] } ?? [] }
    switch self {
    case .chatML:
      let said = turns.flatMap { turn in
        mark("<|im_start|>") + [.text(turn.role.rawValue + "\n" + turn.text)]
          + mark("<|im_end|>") + [.text("\n")]
      }
      return said + mark("<|im_start|>") + [.text("assistant\n")]
    case .llama3:
      func header(_ role: Prompt.Turn.Role) -> [BytePair.Part] {
        mark("<|start_header_id|>") + [.text(role.rawValue)] + mark("<|end_header_id|>")
      }
      let said = turns.flatMap { header($0.role) + [.text("\n\n" + $0.text)] + mark("<|eot_id|>") }
      return said + header(.assistant) + [.text("\n\n")]
    case .plain:
      return [.text(turns.map(\.text).joined(separator: "\n"))]
    }
  }

  /// The tokens that end an answer.
  public func ends(_ tokenizer: BytePair) -> Set<Int32> {
    let names = ["<|im_end|>", "<|eot_id|>", "<|endoftext|>", "<|end_of_text|>", "</s>"]
    return Set(names.compactMap(tokenizer.id(of:)))
  }

  /// What follows a category's name where an answer is one: the turn's end, or in plain text the line's.
  func end(isChat: Bool, _ tokenizer: BytePair) -> [Int32] {
    switch (self, isChat) {
    case (.chatML, true): ["<|im_end|>"].compactMap(tokenizer.id(of:))
    case (.llama3, true): ["<|eot_id|>"].compactMap(tokenizer.id(of:))
    default: tokenizer.encode([.text("\n")]).ids
    }
  }

  /// What a text ends with that is learned as a whole: the token that ends texts, or, where a model has none, the line's end.
  package func endOfText(_ tokenizer: BytePair) -> [Int32] {
    let names = ["<|endoftext|>", "<|end_of_text|>", "</s>", "<|im_end|>", "<|eot_id|>"]
    return names.lazy.compactMap(tokenizer.id(of:)).first.map { [$0] } ?? tokenizer.encode([.text("\n")]).ids
  }

  /// What an answer ends with: in a chat the turn's end.
  package func endOfAnswer(isChat: Bool, _ tokenizer: BytePair) -> [Int32] {
    isChat && self != .plain ? end(isChat: true, tokenizer) : endOfText(tokenizer)
  }
}

extension ChatTemplate {
  /// That of a model's folder.
  /// - Throws: `ModelError`.
  public init(of folder: URL) throws {
    let reader = try TextReader(folder: folder)
    self = (reader.tokenizer as? BytePair).map(ChatTemplate.init) ?? .plain
  }

  /// One message of the user's.
  public func parts(question: String, _ tokenizer: BytePair) -> [BytePair.Part] {
    parts([Prompt.Turn(.user, question)], tokenizer)
  }
}
