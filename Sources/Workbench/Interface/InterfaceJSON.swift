import Basics
import Foundation

extension Interface {
  /// Larger files are hardly an interface.
  private static let largest = 16 << 20

  /// Reads Kili's JSON from a file.
  ///
  /// Throws ``InterfaceError``; `shownAs` is the file's name in its messages.
  public static func load(_ url: URL, shownAs: String? = nil, opener: FileOpener = .anywhere) throws
    -> Interface
  {
    let file = shownAs ?? url.lastPathComponent
    guard FileManager.default.fileExists(atPath: url.path) else { throw InterfaceError.notFound(file: file) }
    let descriptor = opener.open(url)
    guard descriptor >= 0 else { throw InterfaceError.notReadable(file: file) }
    let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    guard let data = try? handle.read(upToCount: largest + 1) ?? Data(), data.count <= largest
    else { throw InterfaceError.notReadable(file: file) }
    return try Interface(parsing: data, file: file)
  }

  /// Reads Kili's JSON (`jsonInterface` of a project, cell 2 of the notebook).
  ///
  /// Throws ``InterfaceError`` with line and column: for what is not JSON, for what is not an interface, and
  /// by name for what Kili has and fettle does not do (several jobs, checkboxes, nested categories, other
  /// kinds of job).
  public init(parsing data: Data, file: String) throws {
    var bytes = Array(data)
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
    self = try bytes.withUnsafeBufferPointer { try Self.read($0, file: file) }
  }

  private static func read(_ bytes: UnsafeBufferPointer<UInt8>, file: String) throws -> Interface {
    if let invalid = UTF8Check.firstInvalid(in: bytes) {
      let position = Position(of: invalid, in: bytes)
      throw InterfaceError.malformed(
        file: file, line: position.line, column: position.column, expected: "a text in UTF-8")
    }
    do {
      return try KiliForm(bytes: bytes, file: file).interface(try JSONNode(reading: bytes))
    } catch let error as JSONSyntaxError {
      let position = Position(of: error.offset, in: bytes)
      throw InterfaceError.malformed(
        file: file, line: position.line, column: position.column, expected: error.expected)
    }
  }

  /// Kili's JSON, readable by Kili and by ``init(parsing:file:)``; the categories in their order.
  public var json: String {
    let categories = categories.map { category in
      """
                \(category.key.jsonQuoted): {
                  "children": [],
                  "name": \(category.name.jsonQuoted),
                  "id": \(category.id.jsonQuoted)
                }
      """
    }
    return """
      {
        "jobs": {
          \(job.jsonQuoted): {
            "content": {
              "categories": {
      \(categories.joined(separator: ",\n"))
              },
              "input": "radio"
            },
            "instruction": \(instruction.jsonQuoted),
            "mlTask": "CLASSIFICATION",
            "required": 1,
            "isChild": false
          }
        }
      }

      """
  }
}

/// The shape of Kili's JSON, with a place for everything that is wrong in it.
private struct KiliForm {
  let bytes: UnsafeBufferPointer<UInt8>
  let file: String

  func interface(_ root: JSONNode) throws -> Interface {
    guard let jobs = root["jobs"] else { throw shape("an object with \"jobs\"", at: root.offset) }
    guard let members = jobs.members, let job = members.first else {
      throw shape("\"jobs\" with one CLASSIFICATION job in it", at: jobs.offset)
    }
    if members.count > 1 {
      if let child = members.first(where: { $0.node["isChild"]?.isTrue == true }) {
        throw unsupported("nested jobs (\(child.key.visible) is a child)", at: child.keyOffset)
      }
      let names = members.map(\.key.visible).joined(separator: ", ")
      throw unsupported("several jobs (\(names))", at: members[1].keyOffset)
    }
    try checkKind(job.node)
    guard let content = job.node["content"] else {
      throw shape("a job with \"content\"", at: job.node.offset)
    }
    if let input = content["input"], input.string != "radio" {
      throw unsupported(
        "input \(named(input)): several categories a text, or another control", at: input.offset)
    }
    guard let categories = content["categories"] else {
      throw shape("\"content\" with \"categories\"", at: content.offset)
    }
    guard let members = categories.members else {
      throw shape("\"categories\" as an object, one key a category", at: categories.offset)
    }
    return try Interface(
      job: job.key, instruction: job.node["instruction"]?.string ?? Interface.defaultInstruction,
      categories: members.enumerated().map { try category($0.element, number: $0.offset + 1) },
      place: { place(of: members.isEmpty ? categories.offset : members[$0].keyOffset) })
  }

  private func checkKind(_ job: JSONNode) throws {
    guard job.members != nil else { throw shape("a job as an object", at: job.offset) }
    guard let task = job["mlTask"] else {
      throw shape("a job with \"mlTask\": \"CLASSIFICATION\"", at: job.offset)
    }
    guard task.string == "CLASSIFICATION" else {
      throw unsupported("a job of the kind \(named(task))", at: task.offset)
    }
    if let isChild = job["isChild"], isChild.isTrue {
      throw unsupported("a nested job (isChild)", at: isChild.offset)
    }
  }

  private func category(_ member: JSONNode.Member, number: Int) throws -> Interface.Category {
    guard member.node.members != nil else {
      throw shape("a category as an object with \"name\" and \"children\"", at: member.node.offset)
    }
    if let children = member.node["children"], children.elements?.isEmpty != true {
      throw unsupported("nested categories (children of \(member.key.excerpt()))", at: children.offset)
    }
    if let name = member.node["name"], name.string == nil { throw shape("a name as a text", at: name.offset) }
    return Interface.Category(
      key: member.key, name: member.node["name"]?.string ?? CategoryKey.name(forKey: member.key),
      id: member.node["id"]?.string ?? "category\(number)")
  }

  private func named(_ node: JSONNode) -> String {
    switch node.value {
    case .string(let string): string.excerpt()
    case .literal(let literal): literal
    case .array: "[…]"
    case .object: "{…}"
    }
  }

  private func place(of offset: Int) -> Place {
    let position = Position(of: offset, in: bytes)
    return Place(file: file, line: position.line, column: position.column)
  }

  private func shape(_ expected: String, at offset: Int) -> InterfaceError {
    let position = Position(of: offset, in: bytes)
    return .shape(file: file, line: position.line, column: position.column, expected: expected)
  }

  private func unsupported(_ what: String, at offset: Int) -> InterfaceError {
    let position = Position(of: offset, in: bytes)
    return .unsupported(file: file, line: position.line, column: position.column, what: what)
  }
}
