import Foundation
import Workbench

/// A document's workspace in which the prompt goes on, after a teacher has left the replay in the middle.
public struct NestedSession: Sendable {
  let workspace: Workspace
  /// The folder that recorded paths start from.
  let root: URL
  /// The folder that typed paths start from.
  let base: URL
  /// Removes what was made for the replay alone, when the prompt ends.
  let removeTemporary: @Sendable () -> Void

  public func end() { removeTemporary() }
}
