import Synchronization

/// The wish that running work should stop: one atomic flag, asked by the work once a batch.
public final class Cancellation: Sendable {
  private let flag = Atomic<Bool>(false)
  private let heard = Atomic<Bool>(false)

  public init() {}

  public func cancel() { flag.store(true, ordering: .releasing) }

  public var isCancelled: Bool {
    let isCancelled = flag.load(ordering: .acquiring)
    if isCancelled { heard.store(true, ordering: .releasing) }
    return isCancelled
  }

  /// Whether the work has asked since the wish was made, and so will end.
  var isHeard: Bool { heard.load(ordering: .acquiring) }
}
