/// A command and its answer, as the log keeps them: the session's document is written from these.
public struct LoggedStep: Equatable, Sendable, Identifiable {
  /// Grows with every step; 0 until it is logged.
  public let id: Int
  public let verb: String
  /// The command exactly as typed; it may have several lines.
  public let command: String
  /// The answer's canonical drawing.
  public let answer: String
  /// The answer's JSON object, on one line.
  public let json: String
  public let status: Status

  public enum Status: String, Sendable {
    case done, failed, interrupted
    /// Prose that the learner added.
    case note
  }

  public init(
    id: Int = 0, verb: String, command: String, answer: String, json: String = "", status: Status = .done
  ) {
    self.id = id
    self.verb = verb
    self.command = command
    self.answer = answer
    self.json = json
    self.status = status
  }
}
