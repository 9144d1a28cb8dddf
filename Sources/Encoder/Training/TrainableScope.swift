/// Which weights a step changes. The head is always among them.
package struct TrainableScope: Sendable {
  /// The lowest layer that learns; nil: the embeddings too.
  var lowest: Int?
  /// Of the layers only the adapters learn, and the norms where these are tuned with them.
  var isAdaptersOnly = false
  var tunesNorms = true

  package static let everything = TrainableScope()

  /// Nothing but a head.
  static let nothing: TrainableScope = {
    var scope = TrainableScope()
    (scope.lowest, scope.isAdaptersOnly) = (Int.max, true)
    return scope
  }()

  /// Words' rows and the like.
  var includesTables: Bool { lowest == nil }

  func includes(_ section: ParameterLayout.Section) -> Bool {
    guard section.kind != .head else { return true }
    guard let layer = section.layer else { return includesTables }
    return layer >= lowest ?? 0
      && (!isAdaptersOnly || section.kind == .adapter || tunesNorms && section.kind == .norm)
  }

  /// Of epoch `epoch` of `epochs`, counted from 1. `gradual` begins with the topmost layer and ends with all of them, one more at
  /// each stage (Howard & Ruder 2018, section 3.3); with as many epochs as layers each stage is an epoch. The embeddings, which
  /// by its rates would learn hundreds of times slower than the topmost layer, stay as they are.
  init(_ method: Method, epoch: Int, epochs: Int, layers: Int, tunesNorms: Bool = true) {
    self.tunesNorms = tunesNorms
    switch method {
    case .linear, .full: break
    case .gradual: lowest = layers - max(1, min(layers, epoch * layers / epochs))
    case .adapter: (lowest, isAdaptersOnly) = (0, true)
    }
  }

  private init() {}
}
