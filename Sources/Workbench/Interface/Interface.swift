import Basics
import Foundation

/// The ontology of a project in Kili's form: one job in which exactly one category is chosen for each text.
///
/// Categories keep the order they were written in: reports follow it and ties between predictions go by it.
public struct Interface: Equatable, Sendable {
  public struct Category: Equatable, Hashable, Sendable {
    /// What labels carry, say `MEDIA_AND_ENTERTAINMENT`.
    public let key: String
    /// What people read, say `MEDIA AND ENTERTAINMENT`.
    public let name: String
    /// Kili's own id.
    public let id: String

    public init(key: String, name: String, id: String) {
      self.key = key
      self.name = name
      self.id = id
    }

    fileprivate var isUnableToClassify: Bool { CategoryKey.key(forName: key) == CategoryKey.unableToClassify }
  }

  /// The job's key, `CLASSIFICATION_JOB` in the tutorial.
  public let job: String
  public let instruction: String
  /// All of them, `UNABLE_TO_CLASSIFY` too where the interface has it.
  public let categories: [Category]
  /// Places in `categories` by the key that a category's own key, or else its name, comes to.
  private let places: [String: Int]

  public static let defaultJob = "CLASSIFICATION_JOB"
  public static let defaultInstruction = "Select a matching category:"

  /// Throws ``InterfaceError`` unless there are two or more categories beside `UNABLE_TO_CLASSIFY`, each with
  /// a key of its own.
  package init(job: String, instruction: String, categories: [Category], place: (Int) -> Place?) throws {
    var keys = Set<String>()
    for (index, category) in categories.enumerated() {
      if CategoryKey.key(forName: category.key).isEmpty || category.name.trimmingBlanks.isEmpty {
        throw InterfaceError.nameless(place: place(index))
      }
      guard keys.insert(CategoryKey.key(forName: category.key)).inserted else {
        throw InterfaceError.duplicate(key: category.key, place: place(index))
      }
    }
    let classes = categories.filter { !$0.isUnableToClassify }
    guard classes.count > 1 else {
      throw InterfaceError.tooFew(names: classes.map(\.name), place: place(0))
    }
    self.job = job
    self.instruction = instruction
    self.categories = categories
    let spellings = categories.map(\.key) + categories.map(\.name)
    places = Dictionary(
      spellings.enumerated().map { (CategoryKey.key(forName: $1), $0 % categories.count) },
      uniquingKeysWith: { first, _ in first })
  }

  /// The interface with categories of these names, in this order, and `UNABLE_TO_CLASSIFY` last if it is not
  /// among them.
  ///
  /// Throws ``InterfaceError`` for a name that is empty or comes twice, and for fewer than two.
  public static func define(names: [String], instruction: String = defaultInstruction) throws -> Interface {
    var names = names.map { String($0.trimmingBlanks) }
    if !names.contains(where: { CategoryKey.key(forName: $0) == CategoryKey.unableToClassify }) {
      names.append(CategoryKey.name(forKey: CategoryKey.unableToClassify))
    }
    let categories = names.enumerated().map { index, name in
      Category(key: CategoryKey.key(forName: name), name: name, id: "category\(index + 1)")
    }
    return try Interface(
      job: defaultJob, instruction: instruction, categories: categories, place: { _ in nil })
  }

  /// The interface with the categories of a data set, called as the file calls them and sorted by key; names
  /// that differ only in spelling are one.
  public static func define(
    from counts: [CategoryCount], of dataset: String, instruction: String = defaultInstruction
  ) throws -> Interface {
    guard !counts.isEmpty else { throw InterfaceError.noCategories(dataset: dataset) }
    let nameByKey = Dictionary(
      counts.map { (CategoryKey.key(forName: $0.name), $0.name) }, uniquingKeysWith: { first, _ in first })
    return try define(names: nameByKey.sorted { $0.key < $1.key }.map(\.value), instruction: instruction)
  }

  /// The categories that a model learns and chooses between: all but `UNABLE_TO_CLASSIFY`.
  public var classes: [Category] { categories.filter { !$0.isUnableToClassify } }

  /// The category that a name or key means, whatever its case; nil for an unknown one.
  public func category(_ nameOrKey: String) -> Category? {
    places[CategoryKey.key(forName: nameOrKey)].map { categories[$0] }
  }

  /// The key that a name or key stands for in labels: the interface's own, else the name's by
  /// ``CategoryKey``.
  public func key(_ nameOrKey: String) -> String {
    category(nameOrKey)?.key ?? CategoryKey.key(forName: nameOrKey)
  }

  /// The name of a key, for people.
  public func name(ofKey key: String) -> String {
    categories.first { $0.key == key }?.name ?? CategoryKey.name(forKey: key)
  }

  /// The category most like an unknown one: the one that shares most words with it, else the fewest edits
  /// away; nil where nothing is shared and more than half would have to change.
  public func nearest(to name: String) -> Category? {
    let wanted = CategoryKey.key(forName: name)
    let words = Self.words(of: wanted)
    let ranked = classes.map { category in
      let key = CategoryKey.key(forName: category.name)
      let distance = min(editDistance(wanted, key), editDistance(wanted, category.key))
      return (category: category, shared: words.intersection(Self.words(of: key)).count, distance: distance)
    }
    let best = ranked.min { ($0.shared, $1.distance) > ($1.shared, $0.distance) }
    guard let best, best.shared > 0 || best.distance * 2 <= max(wanted.count, 1) else { return nil }
    return best.category
  }

  private static func words(of key: String) -> Set<Substring> {
    Set(key.split(separator: "_").filter { $0 != "AND" })
  }
}
