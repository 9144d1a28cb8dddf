import Foundation

/// A body in parts, as a browser or a client sends a file with: `multipart/form-data` (RFC 7578), read strictly. Nothing before the
/// first part, bounded heads, no part twice.
struct MultipartForm {
  struct Part {
    var name: String
    /// As it came, with `%22` read as a quotation mark; nil for what is no file.
    var fileName: String?
    var content: Data
  }

  let parts: [Part]

  private static let mostParts = 32
  /// Bytes of a part's head.
  private static let longestHead = 8192

  /// - Throws: `APIError`.
  init(_ body: Data, contentType: String?) throws {
    let delimiter = Data("--".utf8) + (try Self.boundary(contentType))
    guard body.starts(with: delimiter) else { throw Self.malformed("It does not begin with its boundary.") }
    var parts: [Part] = []
    var place = body.startIndex + delimiter.count
    while true {
      let mark = body[place...].prefix(2)
      if mark.elementsEqual("--".utf8) { break }
      guard mark.elementsEqual("\r\n".utf8) else { throw Self.malformed("A boundary has no line's end.") }
      // The line's end is part of the empty line that ends an empty head.
      guard let end = Self.find(Data("\r\n\r\n".utf8), in: body, from: place, within: Self.longestHead)
      else { throw Self.malformed("The head of a part does not end.") }
      let head = String(decoding: body[place..<end], as: UTF8.self)
      // Behind nothing the boundary follows at once: its line's end is that of the head.
      guard let next = Self.find(Data("\r\n".utf8) + delimiter, in: body, from: end + 2) else {
        throw Self.malformed("It ends before its last boundary.")
      }
      let start = min(end + 4, next)
      var part = try Self.part(head)
      part.content = body.subdata(in: start..<next)
      guard !parts.contains(where: { $0.name == part.name }) else {
        throw Self.malformed("The part \(part.name) comes twice.")
      }
      parts.append(part)
      guard parts.count <= Self.mostParts else { throw Self.malformed("It has too many parts.") }
      place = next + 2 + delimiter.count
    }
    self.parts = parts
  }

  subscript(name: String) -> Part? { parts.first { $0.name == name } }

  /// The text of a part that is no file; nil where there is none.
  /// - Throws: `APIError` where it is no UTF-8.
  func text(_ name: String) throws -> String? {
    guard let part = self[name] else { return nil }
    guard let text = String(data: part.content, encoding: .utf8) else {
      throw APIError.invalid("\(name) is not UTF-8.", param: name)
    }
    return text
  }

  private static func malformed(_ reason: String) -> APIError {
    .invalid("The body is no multipart/form-data. \(reason)", code: "malformed_body")
  }

  private static func boundary(_ contentType: String?) throws -> Data {
    let fields = (contentType ?? "").split(separator: ";", maxSplits: 1)
    guard fields.count == 2,
      fields[0].trimmingCharacters(in: .whitespaces).lowercased() == "multipart/form-data",
      let boundary = parameters(fields[1])["boundary"], (1...70).contains(boundary.utf8.count),
      boundary.utf8.allSatisfy({ (0x20...0x7E).contains($0) }), boundary.last != " "
    else { throw APIError.invalid("A file is sent as multipart/form-data with a boundary.") }
    return Data(boundary.utf8)
  }

  private static func find(_ wanted: Data, in data: Data, from start: Int, within limit: Int = .max) -> Int? {
    data.withUnsafeBytes { bytes -> Int? in
      let first = start - data.startIndex
      let end = first + min(bytes.count - first, limit)
      guard let base = bytes.baseAddress, let byte = wanted.first else { return nil }
      var offset = first
      // What is looked for begins with a carriage return, of which files have few.
      while offset + wanted.count <= end {
        guard let found = memchr(base + offset, Int32(byte), end - offset - wanted.count + 1) else {
          return nil
        }
        offset = UnsafeRawPointer(found) - base
        if bytes[offset..<offset + wanted.count].elementsEqual(wanted) { return offset + data.startIndex }
        offset += 1
      }
      return nil
    }
  }

  private static func part(_ head: String) throws -> Part {
    for line in head.split(separator: "\r\n") {
      let sides = line.split(separator: ":", maxSplits: 1)
      guard sides.count == 2, sides[0].lowercased() == "content-disposition" else { continue }
      let fields = sides[1].split(separator: ";", maxSplits: 1)
      guard fields.count == 2, fields[0].trimmingCharacters(in: .whitespaces).lowercased() == "form-data"
      else { break }
      let parameters = parameters(fields[1])
      guard let name = parameters["name"] else { break }
      return Part(
        name: unescaped(name),
        fileName: parameters["filename*"].flatMap(extended) ?? parameters["filename"].map(unescaped),
        content: Data())
    }
    throw malformed("A part has no name.")
  }

  /// `name="value"` and `name=value`. In quotation marks a backslash is itself, but before a mark that is not the last.
  private static func parameters(_ text: Substring) -> [String: String] {
    var found: [String: String] = [:]
    var rest = text
    while let equals = rest.firstIndex(of: "=") {
      let name = rest[..<equals].trimmingCharacters(in: CharacterSet(charactersIn: "; \t")).lowercased()
      rest = rest[rest.index(after: equals)...]
      var value = ""
      if rest.first == "\"" {
        rest.removeFirst()
        var isClosed = false
        while let character = rest.popFirst() {
          if character == "\"" {
            isClosed = true
            break
          }
          if character == "\\", rest.first == "\"", rest.dropFirst().contains("\"") {
            value.append(rest.removeFirst())
          } else {
            value.append(character)
          }
        }
        guard isClosed else { return found }
      } else {
        value = rest.prefix { $0 != ";" }.trimmingCharacters(in: .whitespaces)
      }
      rest = rest.drop { $0 != ";" }
      if found[name] == nil { found[name] = value }
    }
    return found
  }

  /// Clients write a quotation mark, and nothing else but lines' ends, by its number.
  private static func unescaped(_ value: String) -> String {
    value.replacing("%22", with: "\"").replacing("%0D", with: "\r").replacing("%0A", with: "\n")
  }

  /// `UTF-8''caf%C3%A9.jsonl` (RFC 5987).
  private static func extended(_ value: String) -> String? {
    let parts = value.split(separator: "'", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0].lowercased() == "utf-8" else { return nil }
    return parts[2].removingPercentEncoding
  }
}
