extension Workbench {
  /// How people read a category: the interface's name for it, else the data files', else one made from its key.
  public func name(ofCategory key: String) throws -> String {
    try interface()?.categories.first { $0.key == key }?.name ?? fileName(ofCategory: key)
      ?? CategoryKey.name(forKey: key)
  }

  /// The interface's names of all its categories, by key: for many at once.
  public func categoryNames() throws -> [String: String] {
    Dictionary(
      try interface()?.categories.map { ($0.key, $0.name) } ?? [], uniquingKeysWith: { first, _ in first })
  }

  /// The order in which categories are shown: the interface's, then any others by name.
  public func order(of keys: Set<String>) throws -> [String] {
    let known = try interface()?.categories.map(\.key) ?? []
    return known.filter(keys.contains) + keys.subtracting(known).sorted()
  }
}
