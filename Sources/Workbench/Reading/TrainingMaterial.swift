import Basics
import Foundation

/// Prompts and what a model is to answer, as a file of JSON lines has them. Both of the forms that hosted services train on:
/// ```
/// {"prompt": "Rowers win on their own river\ncategory:", "completion": " SPORTS"}
/// {"messages": [{"role": "user", "content": "Rowers win …"}, {"role": "assistant", "content": "SPORTS"}]}
/// ```
public struct TrainingMaterial: Sendable, Equatable {
  /// In the file's order, at least one, all of one form. An answer within a conversation is an example of its own.
  public let examples: [Example]

  public struct Example: Sendable, Equatable {
    /// Of the file, from 1.
    public var line: Int
    public var prompt: Prompt
    /// Not blank.
    public var answer: String
  }

  public enum Prompt: Sendable, Equatable {
    case text(String)
    /// What was said until the answer; at least one message of the user's is among it.
    case messages([Message])
  }

  public struct Message: Sendable, Equatable {
    public var role: Role
    public var text: String
  }

  public enum Role: String, Sendable {
    case system, user, assistant
  }

  /// What a file has that nobody can train on.
  public struct Fault: Error, Equatable, Sendable, CustomStringConvertible {
    /// From 1; nil for what is no line's.
    public var line: Int?
    public var reason: String

    public init(line: Int?, _ reason: String) { (self.line, self.reason) = (line, reason) }

    public var description: String { (line.map { "Line \($0): " } ?? "") + reason }
  }

  /// Empty lines count and say nothing; a byte order mark and `\r` at a line's end are passed over.
  /// - Throws: `Fault`, the file's first.
  public init(_ file: Data) throws(Fault) {
    var examples: [Example] = []
    var reader = Reader()
    do {
      try file.withUnsafeBytes { bytes in
        let bytes = bytes.assumingMemoryBound(to: UInt8.self)
        var start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        while start < bytes.count {
          let end = bytes[start...].firstIndex(of: 0x0A) ?? bytes.count
          examples += try reader.read(UnsafeBufferPointer(rebasing: bytes[start..<end]))
          start = end + 1
        }
      }
    } catch let fault as Fault {
      throw fault
    } catch {
      throw Fault(line: reader.line, "It cannot be read.")
    }
    guard !examples.isEmpty else { throw Fault(line: nil, "The file has no examples.") }
    self.examples = examples
  }
}

extension TrainingMaterial.Prompt {
  /// What an encoder reads of it: all of a text, or what the user said last.
  public var asked: String {
    switch self {
    case .text(let text): text
    case .messages(let messages): messages.last { $0.role == .user }?.text ?? ""
    }
  }
}

private struct Reader {
  typealias Fault = TrainingMaterial.Fault
  private(set) var line = 0
  /// Whether the file's lines are conversations; nil before the first.
  private var isChat: Bool?

  mutating func read(_ bytes: UnsafeBufferPointer<UInt8>) throws(Fault) -> [TrainingMaterial.Example] {
    line += 1
    if bytes.allSatisfy({ [0x20, 0x09, 0x0D].contains($0) }) { return [] }
    if let invalid = UTF8Check.firstInvalid(in: bytes) {
      throw fault("It is not UTF-8, at byte \(invalid + 1) of the line. Save the file as UTF-8.")
    }
    let node: JSONNode
    do {
      node = try JSONNode(reading: bytes)
    } catch {
      throw fault("It is no JSON: expected \(error.expected), at byte \(error.offset + 1) of the line.")
    }
    let members = try members(of: node, "a line")
    let isChat = members["messages"] != nil
    guard isChat || (members["prompt"] != nil && members["completion"] != nil) else {
      let lacking = members["prompt"] != nil ? "completion" : members["completion"] != nil ? "prompt" : nil
      throw fault(
        lacking.map { "It has no \($0)." }
          ?? #"It has to be {"prompt": …, "completion": …} or {"messages": […]}."#)
    }
    guard self.isChat ?? isChat == isChat else {
      throw fault(
        "It has \(isChat ? "messages" : "a prompt"), and the lines before do not. One file, one form.")
    }
    self.isChat = isChat
    return try isChat ? conversation(members) : [completion(members)]
  }

  private func fault(_ reason: String) -> Fault { Fault(line: line, reason) }

  /// Of readers of a key that comes twice one takes the first and one the last, so none is taken.
  private func members(of node: JSONNode, _ what: String) throws(Fault) -> [String: JSONNode] {
    guard let members = node.members else { throw fault("\(what) has to be a JSON object, {…}.") }
    var found: [String: JSONNode] = [:]
    for member in members where found.updateValue(member.node, forKey: member.key) != nil {
      throw fault("The key \(member.key.excerpt()) comes twice.")
    }
    return found
  }

  private func completion(_ members: [String: JSONNode]) throws(Fault) -> TrainingMaterial.Example {
    guard let prompt = members["prompt"]?.string else { throw fault("prompt has to be a text.") }
    guard let completion = members["completion"]?.string else { throw fault("completion has to be a text.") }
    guard !prompt.isEmpty else { throw fault("prompt is empty.") }
    return TrainingMaterial.Example(line: line, prompt: .text(prompt), answer: try answer(completion))
  }

  private func answer(_ text: String) throws(Fault) -> String {
    guard !text.allSatisfy(\.isWhitespace) else {
      throw fault("There is nothing to learn: the answer is blank.")
    }
    return text
  }

  private func conversation(_ members: [String: JSONNode]) throws(Fault) -> [TrainingMaterial.Example] {
    for key in ["tools", "functions"] where !(members[key]?.isEmpty ?? true) {
      throw fault("It has \(key), which no model here can use.")
    }
    guard let messages = members["messages"]?.elements, !messages.isEmpty else {
      throw fault("messages has to be a list of messages.")
    }
    var said: [TrainingMaterial.Message] = []
    var examples: [TrainingMaterial.Example] = []
    for (number, node) in messages.enumerated() {
      let name = "messages[\(number)]"
      let members = try self.members(of: node, name)
      let message = try message(members, name)
      if message.role == .assistant {
        guard said.contains(where: { $0.role == .user }) else {
          throw fault("\(name) answers, and no user has asked before.")
        }
        if try isLearned(members, name) {
          examples.append(
            TrainingMaterial.Example(line: line, prompt: .messages(said), answer: try answer(message.text)))
        }
      }
      said.append(message)
    }
    guard said.last?.role == .assistant else { throw fault("The last message has to be the assistant's.") }
    guard !examples.isEmpty else {
      throw fault("No message of the assistant's has a weight, so nothing is taught.")
    }
    return examples
  }

  private func message(_ members: [String: JSONNode], _ name: String) throws(Fault)
    -> TrainingMaterial.Message
  {
    for key in ["tool_calls", "function_call"] where !(members[key]?.isEmpty ?? true) {
      throw fault("\(name) calls a tool, which no model here can do.")
    }
    let role: TrainingMaterial.Role
    switch members["role"]?.string {
    case "system", "developer": role = .system
    case "user": role = .user
    case "assistant": role = .assistant
    default: throw fault("The role of \(name) has to be system, user or assistant.")
    }
    guard let content = members["content"] else { throw fault("\(name) has no content.") }
    if let text = content.string { return TrainingMaterial.Message(role: role, text: text) }
    guard let parts = content.elements else { throw fault("The content of \(name) has to be a text.") }
    var text = ""
    for part in parts {
      let members = try self.members(of: part, "A part of \(name)")
      guard members["type"]?.string == "text", let own = members["text"]?.string else {
        throw fault("\(name) has a part that is no text.")
      }
      text += own
    }
    return TrainingMaterial.Message(role: role, text: text)
  }

  private func isLearned(_ members: [String: JSONNode], _ name: String) throws(Fault) -> Bool {
    guard let weight = members["weight"], case .literal(let number) = weight.value else {
      if members["weight"] == nil { return true }
      throw fault("The weight of \(name) has to be 0 or 1.")
    }
    switch number {
    case "0", "0.0": return false
    case "1", "1.0", "null": return true
    default: throw fault("The weight of \(name) has to be 0 or 1.")
    }
  }
}

extension JSONNode {
  /// Whether it says nothing: null, or a list without elements.
  fileprivate var isEmpty: Bool {
    if case .literal("null") = value { true } else { elements?.isEmpty ?? false }
  }
}
