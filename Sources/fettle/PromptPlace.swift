import Commands
import Synchronization

/// The workspace that the prompt is in: its own, or that of a document which was left in the middle.
final class PromptPlace: Sendable {
  private let current: Mutex<(application: Application, nestedSession: NestedSession?)>

  init(_ application: Application) { current = Mutex((application, nil)) }

  var application: Application { current.withLock { $0.application } }

  func move(to nestedSession: NestedSession) {
    current.withLock {
      $0.nestedSession?.end()
      $0 = (Application(nestedSession, from: $0.application), nestedSession)
    }
  }

  /// Removes what was made for a replay alone.
  func leave() { current.withLock { $0.nestedSession?.end() } }
}
