import Yams

/// What stands between the `---` lines at a document's head: what a replay has to know before its first step.
public struct FrontMatter: Equatable, Sendable {
  /// The version of fettle that wrote the document.
  public var fettle: String
  /// Where every random choice starts.
  public var seed: UInt64
  /// In which numbers the model computes.
  public var precision: Precision
  /// The folder that the commands' paths are relative to, itself relative to the document.
  public var root: String

  public enum Precision: String, CaseIterable, Sendable {
    case f32, bf16, auto
  }

  /// The version that this library writes.
  public static let currentVersion = "0.1.0"

  public init(
    fettle: String = FrontMatter.currentVersion, seed: UInt64 = 42, precision: Precision = .f32,
    root: String = "."
  ) {
    self.fettle = fettle
    self.seed = seed
    self.precision = precision
    self.root = root
  }

  /// The front matter as a document shows it, with its `---` lines and a line end after the last.
  public var text: String {
    """
    ---
    fettle: \(FrontMatter.scalar(fettle))
    seed: \(seed)
    precision: \(precision.rawValue)
    root: \(FrontMatter.scalar(root))
    ---

    """
  }
}

extension FrontMatter {
  /// Reads the lines between the `---` lines.
  ///
  /// Keys that are not there keep their defaults. Throws a `DocumentError` that names the line for one that fettle does
  /// not know, for one that stands twice, and for a value that does not fit.
  ///
  /// - Parameter firstLine: the document's line, from 1, that the YAML begins on.
  init(yaml: String, firstLine: Int, file: String?) throws {
    self.init()
    func failure(_ kind: DocumentError.Kind, at line: Int?) -> DocumentError {
      DocumentError(kind, file: file, line: firstLine + (line ?? 1) - 1)
    }
    // Lists in lists, thousands deep, would overflow the stack of the library's own recursion.
    let marks = zip(yaml.utf8, Array(yaml.utf8.dropFirst()) + [0]).count { byte, next in
      "[{".utf8.contains(byte) || "-?".utf8.contains(byte) && isBlank(next)
    }
    guard yaml.utf8.count < 10_000, marks < 32 else { throw failure(.malformedFrontMatter, at: nil) }
    let root: Node?
    do {
      root = try Yams.compose(yaml: yaml)
    } catch YamlError.scanner(_, _, let mark, _), YamlError.parser(_, _, let mark, _),
      YamlError.composer(_, _, let mark, _)
    {
      throw failure(.malformedFrontMatter, at: mark.line)
    } catch YamlError.duplicatedKeysInMapping(let keys, let context) {
      throw failure(.repeatedKey(keys.first ?? ""), at: context.mark.line)
    } catch {
      throw failure(.malformedFrontMatter, at: nil)
    }
    guard let root else { return }
    if let scalar = root.scalar, scalar.string.isEmpty { return }
    guard let mapping = root.mapping else { throw failure(.malformedFrontMatter, at: root.mark?.line) }
    for (keyNode, node) in mapping {
      let line = keyNode.mark?.line
      guard let key = keyNode.scalar?.string else { throw failure(.malformedFrontMatter, at: line) }
      func value(_ expected: String) throws -> String {
        let text = node.scalar?.string
        guard let text, !text.isEmpty else {
          throw failure(.badValue(key: key, value: text ?? "a list", expected: expected), at: line)
        }
        return text
      }
      switch key {
      case "fettle": fettle = try value("a version such as \(FrontMatter.currentVersion)")
      case "seed":
        let expected = "a whole number, 0 or more, such as 42"
        let text = try value(expected)
        guard let number = UInt64(text) else {
          throw failure(.badValue(key: key, value: text, expected: expected), at: line)
        }
        seed = number
      case "precision":
        let expected = "f32, bf16 or auto"
        let text = try value(expected)
        guard let known = Precision(rawValue: text) else {
          throw failure(.badValue(key: key, value: text, expected: expected), at: line)
        }
        precision = known
      case "root": self.root = try value("a folder, relative to the document")
      default: throw failure(.unknownKey(key), at: line)
      }
    }
  }

  /// A YAML scalar that reads as exactly this text: plain where that is safe, quoted elsewhere.
  private static func scalar(_ text: String) -> String {
    let isSafe = { (scalar: Unicode.Scalar) in
      scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil)
        || "_./-".unicodeScalars.contains(scalar)
    }
    if !text.isEmpty, !text.hasPrefix("-"), text.unicodeScalars.allSatisfy(isSafe) { return text }
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": quoted += "\\\""
      case "\\": quoted += "\\\\"
      case _
      where [.control, .format, .lineSeparator, .paragraphSeparator, .unassigned].contains(
        scalar.properties.generalCategory) && scalar.value < 0x10000:
        let hex = String(scalar.value, radix: 16)
        quoted += "\\u" + String(repeating: "0", count: 4 - hex.utf8.count) + hex
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }
}
