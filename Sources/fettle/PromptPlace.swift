import Commands
import Synchronization

/// The workspace that the prompt is in: its own, or that of a document which was left in the middle.
final class PromptPlace: Sendable {
  private let current: Mutex<(application: Application, handOver: HandOver?)>

  init(_ application: Application) { current = Mutex((application, nil)) }

  var application: Application { current.withLock { $0.application } }

  func move(to handOver: HandOver) {
    current.withLock {
      $0.handOver?.end()
      $0 = (Application(handOver, from: $0.application), handOver)
    }
  }

  /// Removes what was made for a replay alone.
  func leave() { current.withLock { $0.handOver?.end() } }
}
