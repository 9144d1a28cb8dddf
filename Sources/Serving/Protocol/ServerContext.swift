import Foundation
import Synchronization
import Tasks
import Workbench

/// What all endpoints of a server share.
public struct ServerContext: Sendable {
  /// The workspace's models. Its workspace is held for no longer than a read or a write takes.
  public let library: ModelLibrary
  public let models: ServedModels
  public let log: ServerLog

  public init(library: ModelLibrary, log: ServerLog) {
    (self.library, self.log) = (library, log)
    models = ServedModels(library, log)
  }

  public var workspace: Workspace { library.workspace }

  /// To be called by whatever changes the workspace: the log says once that no document will tell of it.
  func sayNotRecorded() {
    log.once(
      "What requests change here, such as files, jobs and models, is not recorded in the session's document.")
  }

  /// Runs what waits for the disk, or computes for long, away from the threads that serve.
  public func offThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value
  {
    try await withCheckedThrowingContinuation { continuation in
      Self.queue.async { continuation.resume(with: Result(catching: body)) }
    }
  }

  /// For what takes long. Its threads wait for more for a while: to start one takes as long as to read a short text.
  static let queue = DispatchQueue(label: "serving", attributes: .concurrent)
}

/// Lines for whoever runs the server.
public struct ServerLog: Sendable {
  private let write: @Sendable (String) -> Void
  /// Sentences that are worth saying once.
  private let said = Said()

  private final class Said: Sendable {
    let lines = Mutex<Set<String>>([])
  }

  public init(_ write: @escaping @Sendable (String) -> Void) { self.write = write }

  public func callAsFunction(_ line: String) { write(line) }

  public func once(_ line: String) {
    if said.lines.withLock({ $0.insert(line).inserted }) { write(line) }
  }
}
