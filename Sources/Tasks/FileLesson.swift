import Basics
import Classifiers
import Foundation
import Workbench

/// What all prompts of a file have around their own texts: an instruction before, `[PROMPT_STOP]` behind.
public struct TextFrame: Codable, Equatable, Sendable {
  public var before = ""
  public var after = ""

  /// What different texts begin and end with alike, as far as it ends before a word or begins behind one: texts that happen to begin
  /// with the same word share nothing else.
  init(of texts: some Sequence<String>) {
    let texts = Set(texts).map { Array($0.unicodeScalars) }
    guard let first = texts.first, texts.count > 1 else { return }
    let shortest = texts.map(\.count).min() ?? 0
    var start = shortest
    var end = shortest
    for text in texts.dropFirst() {
      start = zip(first.prefix(start), text).prefix { $0 == $1 }.count
      end = zip(first.reversed().prefix(end), text.reversed()).prefix { $0 == $1 }.count
    }
    while start > 0, !Self.ends(first[start - 1]) { start -= 1 }
    end = min(end, shortest - start)
    while end > 0, !Self.begins(first[first.count - end]) { end -= 1 }
    before = Self.string(first.prefix(start))
    after = Self.string(first.suffix(end))
  }

  private static func string(_ scalars: some Sequence<Unicode.Scalar>) -> String {
    var view = String.UnicodeScalarView()
    view.append(contentsOf: scalars)
    return String(view)
  }

  private static func ends(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.isWhitespace || "]>})|#:\"".unicodeScalars.contains(scalar)
  }

  private static func begins(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.isWhitespace || "[<{(|#\"".unicodeScalars.contains(scalar)
  }

  /// The text without what is around it; as it is where it lacks that.
  public func text(in prompt: String) -> String {
    var scalars = prompt.unicodeScalars[...]
    if scalars.starts(with: before.unicodeScalars) {
      scalars = scalars.dropFirst(before.unicodeScalars.count)
    }
    if scalars.reversed().starts(with: after.unicodeScalars.reversed()) {
      scalars = scalars.dropLast(after.unicodeScalars.count)
    }
    return String(scalars)
  }
}

/// The answers of a file as categories.
public struct FileAnswers: Codable, Equatable, Sendable {
  /// To the letter, in the order in which they first come.
  public var answers: [String]
  /// The category's key for each.
  public var keys: [String]

  /// Nil where there are more than `most`.
  init?(_ all: some Sequence<String>, most: Int) {
    var seen: Set<String> = []
    answers = []
    for answer in all where seen.insert(answer).inserted {
      guard answers.count < most else { return nil }
      answers.append(answer)
    }
    keys = []
    let names = self.names
    // What differs only in case or in blanks would be one category.
    let spellings = [names.map(CategoryKey.key(forName:)), names, answers]
    keys = spellings.first { Set($0).count == answers.count && !$0.contains("") } ?? answers
  }

  /// How they read without blanks, and without a mark that all of them end with: `[END]`.
  var names: [String] {
    var frame = TextFrame(of: answers)
    frame.before = ""
    if frame.after.first(where: { !$0.isWhitespace }).map({ "[<{(|#".contains($0) }) != true {
      frame.after = ""
    }
    return answers.map { frame.text(in: $0).trimmingCharacters(in: .whitespacesAndNewlines) }
  }
}

/// What an encoder that a file taught reads of a prompt, and what it says.
public struct FileLesson: Codable, Equatable, Sendable {
  public var frame: TextFrame
  public var answers: FileAnswers

  /// The category's answer, to the letter; nil for another's.
  public func answer(for category: String) -> String? {
    answers.keys.firstIndex(of: category).map { answers.answers[$0] }
  }
}

extension TunedModel {
  static let orderedOrigin = "request"

  /// Whether it was ordered from `serve`: no step of the document makes it, so that a replay does without.
  public var isOrdered: Bool {
    struct Options: Decodable { var origin: String? }
    return (try? JSONDecoder().decode(Options.self, from: Data(options.utf8)))?.origin == Self.orderedOrigin
  }

  /// Of an encoder that a file of prompts and answers taught; nil for one that learned a data set's labels, and for a language model.
  public var fileLesson: FileLesson? {
    struct Options: Decodable {
      var lesson: FileLesson?
      enum CodingKeys: String, CodingKey { case lesson = "file_lesson" }
    }
    guard taught == nil else { return nil }
    return (try? JSONDecoder().decode(Options.self, from: Data(options.utf8)))?.lesson
  }
}

/// An encoder that a file taught: of a prompt it reads what the file's prompts do not share.
public struct FileTaughtClassifier: Classifier {
  public let lesson: FileLesson
  let tuned: TunedClassifier

  public var name: String { tuned.name }

  public func classify(_ texts: [String], isCancelled: @Sendable () -> Bool) throws -> [Outcome] {
    try tuned.classify(texts.map(lesson.frame.text), isCancelled: isCancelled)
  }
}
