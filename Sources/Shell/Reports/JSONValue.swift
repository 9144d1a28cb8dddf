import Basics
import Foundation

/// A value of JSON, for `--json`, the log of steps and `$kpi.accuracy`.
///
/// What it is for beyond Foundation's own coder: one line, keys sorted, slashes as they are, a number that is not one as `null`.
public enum JSONValue: Sendable, Equatable {
  case null
  case bool(Bool)
  case int(Int)
  case double(Double)
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])

  /// A single-precision number, kept with the few digits that tell it from its neighbours (`0.1`, not `0.10000000149011612`).
  public static func float(_ value: Float) -> JSONValue {
    .double(Double(value.description) ?? Double(value))
  }

  /// This value on one line: keys sorted, slashes not escaped, not-a-number and infinities as `null`.
  ///
  /// Every string gives valid JSON, and one value stays one line everywhere.
  public var line: String {
    var output = ""
    write(to: &output)
    return output
  }

  /// Reads one JSON value.
  ///
  /// - Throws: `DecodingError` where the text is not JSON.
  public init(parsing text: String) throws {
    self = try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
  }

  /// The member of an object; `nil` for a name it lacks and for what is no object.
  public subscript(name: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members[name]
  }

  /// A number, whether written with a fraction or without.
  public var number: Double? {
    switch self {
    case .int(let value): Double(value)
    case .double(let value): value
    default: nil
    }
  }
}

// MARK: - Writing

extension JSONValue {
  private func write(to output: inout String) {
    switch self {
    case .null: output += "null"
    case .bool(let value): output += value ? "true" : "false"
    case .int(let value): output += String(value)
    case .double(let value): output += value.isFinite ? value.description : "null"
    case .string(let value): output += value.jsonQuoted
    case .array(let values):
      output += "["
      for (index, value) in values.enumerated() {
        if index > 0 { output += "," }
        value.write(to: &output)
      }
      output += "]"
    case .object(let members):
      output += "{"
      // By scalars: the order of `String.<` is the same on every machine, yet scalars say so plainly.
      let names = members.keys.sorted { $0.unicodeScalars.lexicographicallyPrecedes($1.unicodeScalars) }
      for (index, name) in names.enumerated() {
        if index > 0 { output += "," }
        output += name.jsonQuoted + ":"
        (members[name] ?? .null).write(to: &output)
      }
      output += "}"
    }
  }

}

// MARK: - Reading and literals

extension JSONValue: Decodable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .bool(value)
    } else if let value = try? container.decode(Int.self) {
      self = .int(value)
    } else if let value = try? container.decode(Double.self) {
      self = .double(value)
    } else if let value = try? container.decode(String.self) {
      self = .string(value)
    } else if let value = try? container.decode([JSONValue].self) {
      self = .array(value)
    } else {
      self = .object(try container.decode([String: JSONValue].self))
    }
  }
}

extension JSONValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByArrayLiteral,
  ExpressibleByDictionaryLiteral
{
  public init(nilLiteral: ()) { self = .null }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(integerLiteral value: Int) { self = .int(value) }
  public init(floatLiteral value: Double) { self = .double(value) }
  public init(stringLiteral value: String) { self = .string(value) }
  public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
  public init(dictionaryLiteral elements: (String, JSONValue)...) {
    self = .object(Dictionary(elements) { _, last in last })
  }
}
