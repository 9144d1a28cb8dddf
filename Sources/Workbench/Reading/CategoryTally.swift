import Basics

/// Rows that a map or a choice of categories left out, for reports.
public struct LeftOut: Equatable, Sendable {
  /// Rows whose category has an empty new name.
  public internal(set) var byMap = 0
  /// Rows of other categories than the chosen ones, and rows without one.
  public internal(set) var byOnly = 0
  /// Rows without a category, where so many of each category were asked for.
  public internal(set) var unlabelled = 0
  /// Names in the map that the file does not have, and the file's category that is spelled most like each.
  public internal(set) var unknown: [(name: String, nearest: String?)] = []
  /// The file's categories that the map does not name, as the file writes them.
  public internal(set) var unmapped: [String] = []

  public var rows: Int { byMap + byOnly + unlabelled }

  public static func == (first: LeftOut, second: LeftOut) -> Bool {
    first.byMap == second.byMap && first.byOnly == second.byOnly && first.unlabelled == second.unlabelled
      && first.unmapped == second.unmapped
      && first.unknown.elementsEqual(second.unknown) { $0 == $1 }
  }
}

/// Numbers for category names as they come; names with one key are one category, called as it was first
/// spelled. What ``LoadOptions/map`` and ``LoadOptions/only`` leave out has none.
struct CategoryTally {
  private(set) var names: [String] = []
  var counts: [Int] = []
  private(set) var leftOut = LeftOut()
  private let options: LoadOptions
  /// Keys that are kept; all where there are none. Between commas stands a name or a part of one.
  private let wanted: Set<String>
  private var placeByName: [String: Place] = [:]
  private var numberByKey: [String: Int] = [:]
  /// The file's categories by key, before and after they get new names.
  private var oldNames: [String: String] = [:]
  private var newNames: [String: String] = [:]

  enum Place: Equatable {
    case category(Int)
    case unlabelled
    /// Left out by the map, or as none of the chosen categories.
    case byMap, byOnly, withoutCategory
  }

  init(_ options: LoadOptions) {
    self.options = options
    wanted = Set(options.only.flatMap { [$0] + Self.parts(of: $0) }.map(CategoryKey.key(forName:)))
  }

  /// Where a row with this category belongs; counts it if that is nowhere.
  mutating func place(_ name: String?) -> Place {
    let place = name.map { placeByName[$0] ?? newPlace($0) } ?? placeOfNone
    switch place {
    case .byMap: leftOut.byMap += 1
    case .byOnly: leftOut.byOnly += 1
    case .withoutCategory: leftOut.unlabelled += 1
    case .category, .unlabelled: break
    }
    return place
  }

  private var placeOfNone: Place {
    if !options.only.isEmpty { return .byOnly }
    return options.perCategory == nil ? .unlabelled : .withoutCategory
  }

  private mutating func newPlace(_ name: String) -> Place {
    let place = find(name)
    placeByName[name] = place
    return place
  }

  private mutating func find(_ name: String) -> Place {
    var name = name
    var key = CategoryKey.key(forName: name)
    if let map = options.map {
      if oldNames[key] == nil { oldNames[key] = name }
      if let entry = map.entry(key) {
        if entry.new.isEmpty { return .byMap }
        (name, key) = (entry.new, CategoryKey.key(forName: entry.new))
      }
    }
    if !wanted.isEmpty {
      if newNames[key] == nil { newNames[key] = name }
      if !wanted.contains(key) { return .byOnly }
    }
    let number = numberByKey[key] ?? names.count
    if number == names.count {
      names.append(name)
      counts.append(0)
      numberByKey[key] = number
    }
    return .category(number)
  }

  /// How many different categories the file has shown so far, those that are left out among them.
  var categories: Int { max(names.count, max(oldNames.count, newNames.count)) }

  /// What the map and the file say of different categories. To be asked when all rows have been placed.
  ///
  /// Throws ``LoadError/noSuchCategory(file:wanted:nearest:found:)`` where a category was chosen that no row has.
  func concluded(_ file: AssetFile) throws -> LeftOut {
    for name in options.only where newNames[CategoryKey.key(forName: name)] == nil {
      for part in Self.parts(of: name) where newNames[CategoryKey.key(forName: part)] == nil {
        throw LoadError.noSuchCategory(
          file: file.file, wanted: part, nearest: Self.nearest(part, newNames),
          found: newNames.values.sorted())
      }
    }
    var leftOut = leftOut
    guard let map = options.map else { return leftOut }
    // What a map of two columns begins with is as often a header as a category.
    leftOut.unknown = map.entries.enumerated().filter { index, entry in
      index > 0 && oldNames[CategoryKey.key(forName: entry.old)] == nil
    }.map { ($0.element.old, Self.nearest($0.element.old, oldNames)) }
    leftOut.unmapped = oldNames.filter { map.entry($0.key) == nil }.values.sorted()
    return leftOut
  }

  /// `--only A,B` names two categories, unless one is called so.
  private static func parts(of names: String) -> [String] {
    names.split(separator: ",").map { String(String($0).trimmingBlanks) }.filter { !$0.isEmpty }
  }

  private static func nearest(_ name: String, _ names: [String: String]) -> String? {
    let wanted = CategoryKey.key(forName: name)
    let near = names.keys.sorted().map { (key: $0, distance: editDistance($0, wanted)) }
      .min { $0.distance < $1.distance }
    guard let near, near.distance * 2 <= max(wanted.count, 1) else {
      return names.keys.sorted().first { wanted.count > 2 && $0.contains(wanted) }.flatMap { names[$0] }
    }
    return names[near.key]
  }
}
