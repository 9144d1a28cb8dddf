import Commands
import Synchronization

/// The workspace that the prompt is in: its own, or that of a document which was left in the middle.
final class PromptPlace: Sendable {
  private let current: Mutex<(door: FrontDoor, handOver: HandOver?)>

  init(_ door: FrontDoor) { current = Mutex((door, nil)) }

  var door: FrontDoor { current.withLock { $0.door } }

  func move(to handOver: HandOver) {
    current.withLock {
      $0.handOver?.end()
      $0 = (FrontDoor(handOver, from: $0.door), handOver)
    }
  }

  /// Removes what was made for a replay alone.
  func leave() { current.withLock { $0.handOver?.end() } }
}
