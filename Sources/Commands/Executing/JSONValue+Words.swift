import Shell

extension JSONValue {
  /// A seed; as text where it is greater than JSON's readers agree on.
  init(seed: UInt64) { self = Int(exactly: seed).map(JSONValue.int) ?? .string(String(seed)) }

  /// The value as a word of the language: what `$kpi.accuracy` stands for. Lists and objects have none.
  var word: String? {
    switch self {
    case .string(let text): text
    case .int(let number): String(number)
    case .double(let number): number.isFinite ? "\(number)" : "nan"
    case .bool(let value): value ? "true" : "false"
    case .null: "null"
    case .array, .object: nil
    }
  }

  /// The names of an object's members that have a word, sorted.
  var wordNames: [String] {
    guard case .object(let members) = self else { return [] }
    return members.filter { $0.value.word != nil }.map(\.key).sorted()
  }
}
