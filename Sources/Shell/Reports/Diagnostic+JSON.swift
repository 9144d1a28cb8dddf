extension Diagnostic {
  /// The object that `--json` prints for it.
  public func json(verb: String?) -> JSONValue {
    .object([
      "verb": verb.map(JSONValue.string) ?? .null,
      "error": .object([
        "code": .string(code), "message": .string(description),
        "file": file.map(JSONValue.string) ?? .null,
        "line": line.map(JSONValue.int) ?? .null,
        "column": column.map(JSONValue.int) ?? .null,
      ]),
    ])
  }
}
