import Foundation
import Tasks
import Workbench

/// A training that a client has ordered: all that is known of it, as the workspace keeps it.
struct Job: Codable, Sendable {
  /// `ftjob-` and 32 hexadecimal digits; `ft-` for one that was ordered by the protocol of 2023.
  var id: String
  /// As the client named it.
  var model: String
  var training: StoredFile
  var validation: StoredFile?
  var asked = Hyperparameters()
  var suffix: String?
  var seed = 42
  var metadata: [String: String]?
  var status = Status.validating
  // Seconds since 1970.
  var created: Int
  var updated: Int
  var started: Int?
  var finished: Int?
  var estimatedFinish: Int?
  /// How often it was begun; more than once where the server ended meanwhile.
  var starts = 0
  /// What it is trained with; nil until the file is read.
  var chosen: Chosen?
  var fault: Fault?
  var tunedModel: String?
  var trainedTokens: Int?
  var results: [StoredFile] = []
  var checkpoint: Checkpoint?

  enum Status: String, Codable {
    case validating = "validating_files"
    case queued, running, succeeded, failed, cancelled

    var isFinal: Bool { [.succeeded, .failed, .cancelled].contains(self) }
  }

  /// As asked for; nil is left to the server, as `auto` is.
  struct Hyperparameters: Codable, Sendable {
    var epochs: Int?
    var batch: Int?
    var multiplier: Double?

    /// - Throws: `APIError`.
    func check(_ place: String = "") throws {
      if let epochs, !(1...Self.mostEpochs).contains(epochs) {
        throw APIError.invalid("n_epochs is from 1 to \(Self.mostEpochs).", param: place + "n_epochs")
      }
      if let batch, !(1...256).contains(batch) {
        throw APIError.invalid("batch_size is from 1 to 256.", param: place + "batch_size")
      }
      if let multiplier, !(multiplier > 0 && multiplier <= 10) {
        throw APIError.invalid(
          "learning_rate_multiplier is above 0, and at most 10.", param: place + "learning_rate_multiplier")
      }
    }

    /// So that a job has fewer events than the 1,000 that clients of 2023 look at.
    private static let mostEpochs = 50
  }

  struct Chosen: Codable, Sendable {
    var epochs: Int
    var batch: Int
    var multiplier: Double
  }

  struct Fault: Codable, Sendable {
    var code: String
    var message: String
    var param: String?
  }

  /// The model at the last step.
  struct Checkpoint: Codable, Sendable {
    var step: Int
    var trainLoss: Double
    var validLoss: Double?
    var validAccuracy: Double?
  }

  struct Event: Codable, Sendable {
    var created: Int
    var level = Level.info
    var message: String
    var metrics: Checkpoint?

    enum Level: String, Codable {
      case info, warn, error
    }
  }

  static var now: Int { Int(Date().timeIntervalSince1970) }

  /// Whether it was ordered by the protocol of 2023.
  var isOld: Bool { id.hasPrefix("ft-") }

  /// What the tuned model is called: `curie.ft-…`, as a tutorial of 2023 shows it, or `smollm2.news-1a2b3c4d`.
  var newModelName: String {
    let root = model.prefix { $0 != "." && $0 != ":" }.filter {
      $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-")
    }
    let name = root.isEmpty ? "tuned" : String(root.prefix(40))
    if isOld { return "\(name).\(id)" }
    return "\(name).\((suffix.map { $0 + "-" } ?? "ft-") + id.suffix(8))"
  }
}

// MARK: - Kept

extension Job {
  init(_ stored: StoredJob) throws {
    self = try JSONDecoder().decode(Job.self, from: Data(stored.json.utf8))
  }

  fileprivate var stored: StoredJob {
    get throws {
      StoredJob(
        id: id, status: status.rawValue, json: String(decoding: try JSONEncoder().encode(self), as: UTF8.self)
      )
    }
  }
}

extension Workbench {
  func insert(_ job: Job) throws { try insert(job: job.stored) }

  /// - Throws: `APIError` 404.
  func fineTuningJob(_ id: String) throws -> Job {
    guard let stored = try job(id) else {
      throw APIError(
        404, "Could not find fine tune: \(id.prefix(100))", param: "fine_tune_id", code: "fine_tune_not_found"
      )
    }
    return try Job(stored)
  }

  func fineTuningJobs() throws -> [Job] { try jobs().map { try Job($0) } }

  func keep(_ job: Job) throws {
    var job = job
    job.updated = Job.now
    try update(job: job.stored)
  }

  func add(_ message: String, _ level: Job.Event.Level = .info, metrics: Job.Checkpoint? = nil, to job: Job)
    throws
  {
    let event = Job.Event(created: Job.now, level: level, message: message, metrics: metrics)
    try insert(event: String(decoding: try JSONEncoder().encode(event), as: UTF8.self), ofJob: job.id)
  }

  func fineTuningEvents(of job: Job, after event: Int = 0) throws -> [(number: Int, event: Job.Event)] {
    try events(ofJob: job.id, after: event).map {
      ($0.id, try JSONDecoder().decode(Job.Event.self, from: Data($0.json.utf8)))
    }
  }

  /// Ends a job. Its last event is the one by which clients of 2023 know that no more will come.
  func end(_ job: inout Job, as status: Job.Status, _ message: String, _ level: Job.Event.Level = .info)
    throws
  {
    job.status = status
    job.finished = Job.now
    job.estimatedFinish = nil
    try add(message, level, to: job)
    let hours = Double(job.started.map { Job.now - $0 } ?? 0) / 3600
    try add("Training hours billed: \(String(format: "%.2f", hours))", to: job)
    try keep(job)
  }
}
